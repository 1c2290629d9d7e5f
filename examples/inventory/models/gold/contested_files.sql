{{ config(materialized='table') }}

-- Files that two packages of one site claim: whoever was installed last has overwritten the other's.
select
    site,
    path,
    count(*) as claims,
    string_agg(package, ', ' order by package) as packages,
    count(distinct hash) = 1 and count(hash) = count(*) as is_same
from {{ ref('stg_files') }}
group by site, path
having count(*) > 1
