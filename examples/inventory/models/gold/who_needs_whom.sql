{{ config(materialized='table') }}

-- Every requirement, with the package that answers to its name, if one is installed. `is_met` is NULL where it can't be
-- told: versions are compared by their numbers, and pre-releases, post-releases, epochs and addresses only if equal as text.
with compared as (
    select
        c.package,
        c.number,
        c.op,
        c.wanted,
        p.public_version,
        lower(p.version) = c.wanted or p.public_version = c.wanted as is_same_text,
        contains(p.version, '!') or contains(c.wanted, '!') as has_epoch,
        c.is_prefix,
        len(c.numbers) as places,
        len(p.numbers) > 0 and len(c.numbers) > 0 and list_count(p.numbers) = len(p.numbers) as has_numbers,
        [coalesce(p.numbers[place], 0) for place in range(1, len(c.numbers) + 1)] = c.numbers as begins_so,
        [coalesce(p.numbers[place], 0) for place in range(1, len(c.numbers))] = c.numbers[:-2] as begins_nearly_so,
        p.release > c.release as is_greater,
        p.release = c.release as is_equal,
        p.is_plain and c.is_plain as is_plain
    from {{ ref('stg_clauses') }} as c
    join {{ ref('stg_packages') }} as p on p.normal_name = c.normal_name and p.is_found
),

judged as (
    select
        package,
        number,
        case
            when op = '===' then is_same_text
            when is_same_text then op in ('==', '>=', '<=', '~=')
            when has_epoch or not has_numbers then null
            when is_prefix then case op when '==' then begins_so when '!=' then not begins_so end
            when is_equal and not is_plain then null
            when op = '==' then is_equal
            when op = '!=' then not is_equal
            when op = '>=' then is_greater or is_equal
            when op = '<=' then not is_greater
            when op = '>' then is_greater
            when op = '<' then not is_greater and not is_equal
            when op = '~=' and places > 1 then (is_greater or is_equal) and begins_nearly_so
        end as is_met
    from compared
),

verdicts as (
    select package, number, case when bool_or(not is_met) then false when bool_and(is_met is not null) then true end as is_met
    from judged
    group by all
)

select
    r.package,
    r.number,
    r.requires,
    r.normal_name as needs,
    r.extra,
    r.applies,
    p.package as needs_package,
    p.version as found_version,
    case
        when p.package is null then false
        when r.url is not null then null
        when r.specifier is null then true
        else v.is_met
    end as is_met
from {{ ref('stg_requirements') }} as r
left join {{ ref('stg_packages') }} as p on p.normal_name = r.normal_name and p.is_found
left join verdicts as v on v.package = r.package and v.number = r.number
