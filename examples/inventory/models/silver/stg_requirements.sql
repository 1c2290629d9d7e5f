{{ config(materialized='table') }}

select
    r.package,
    r.number,
    r.requires,
    r.name,
    lower(regexp_replace(r.name, '[-_.]+', '-', 'g')) as normal_name,
    r.specifier,
    r.url,
    r.extra,
    r.applies
from {{ ref('raw.requirements') }} as r
join {{ ref('raw.installed') }} as i using (package)
