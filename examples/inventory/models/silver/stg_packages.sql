{{ config(materialized='table') }}

-- Only what is there now. `normal_name` is the name as PEP 503 compares it; of two packages of one name, Python finds the
-- one in the earlier site. `release` is the version's numbers without zeros at the end: 2.1 and 2.1.0 are the same.
with named as (
    select
        i.package,
        i.site,
        i.has_record,
        p.name,
        lower(regexp_replace(p.name, '[-_.]+', '-', 'g')) as normal_name,
        p.version,
        regexp_replace(lower(p.version), '[+].*$', '') as public_version,
        p.license,
        p.license_from,
        p.summary
    from {{ ref('raw.installed') }} as i
    join {{ ref('raw.packages') }} as p using (package)
)

select
    *,
    row_number() over (partition by normal_name order by site, package) = 1 as is_found,
    regexp_full_match(public_version, '[0-9]+([.][0-9]+)*') as is_plain,
    [
        try_cast(part as hugeint)
        for part in string_split(regexp_extract(public_version, '^[0-9]+([.][0-9]+)*'), '.')
    ] as numbers,
    [
        try_cast(part as hugeint)
        for part in string_split(regexp_replace(regexp_extract(public_version, '^[0-9]+([.][0-9]+)*'), '([.]0+)+$', ''), '.')
    ] as release
from named
