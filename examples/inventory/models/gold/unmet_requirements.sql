{{ config(materialized='table') }}

-- What applies here and nothing installed meets; requirements of extras don't apply, for nobody knows who asked for them.
select
    package,
    requires,
    needs,
    found_version,
    case when needs_package is null then 'not installed' else 'another version' end as reason
from {{ ref('who_needs_whom') }}
where applies and not is_met
