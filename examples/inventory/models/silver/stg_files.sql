{{ config(materialized='table') }}

select
    i.package,
    i.site,
    p.name as package_name,
    f.path,
    f.hash,
    f.size
from {{ ref('raw.files') }} as f
join {{ ref('raw.installed') }} as i on f.record = i.package || '/RECORD' and i.has_record
left join {{ ref('raw.packages') }} as p on p.package = i.package
