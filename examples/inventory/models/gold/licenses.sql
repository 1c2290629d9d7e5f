{{ config(materialized='table') }}

-- Who put the licence's whole text where its name belongs is shown by how the text begins.
select
    case
        when p.license is null then 'none said'
        when length(p.license) > 100 then left(p.license, 40) || ' ...'
        else coalesce(n.license, p.license)
    end as license,
    count(*) as packages,
    cast(sum(s.bytes) as bigint) as bytes
from {{ ref('stg_packages') }} as p
join {{ ref('package_sizes') }} as s using (package)
left join {{ ref('license_names') }} as n on n.spelling = lower(p.license)
group by all
