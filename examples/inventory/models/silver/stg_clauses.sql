{{ config(materialized='table') }}

-- The specifiers taken apart, one row per clause: `>=1.2,!=1.5` are two. `release` and `numbers` as in stg_packages.
with clauses as (
    select package, number, normal_name, unnest(string_split(specifier, ',')) as clause
    from {{ ref('stg_requirements') }}
    where specifier is not null
),

split as (
    select
        *,
        regexp_extract(clause, '^(===|~=|==|!=|<=|>=|<|>)') as op,
        lower(regexp_replace(clause, '^(===|~=|==|!=|<=|>=|<|>)', '')) as wanted
    from clauses
)

select
    *,
    wanted like '%.*' as is_prefix,
    regexp_full_match(wanted, '[0-9]+([.][0-9]+)*([.][*])?') as is_plain,
    [
        try_cast(part as hugeint) for part in string_split(regexp_extract(wanted, '^[0-9]+([.][0-9]+)*'), '.')
    ] as numbers,
    [
        try_cast(part as hugeint)
        for part in string_split(regexp_replace(regexp_extract(wanted, '^[0-9]+([.][0-9]+)*'), '([.]0+)+$', ''), '.')
    ] as release
from split
