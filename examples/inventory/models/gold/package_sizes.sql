{{ config(materialized='table') }}

-- Bytes as RECORD gives them: files without a size, mostly compiled ones, count as files only.
with files as (
    select package, count(*) as files, count(size) as sized_files, sum(size) as bytes
    from {{ ref('stg_files') }}
    group by package
)

select
    p.package,
    p.name,
    p.version,
    p.has_record,
    coalesce(f.files, 0) as files,
    coalesce(f.sized_files, 0) as sized_files,
    cast(coalesce(f.bytes, 0) as bigint) as bytes
from {{ ref('stg_packages') }} as p
left join files as f using (package)
