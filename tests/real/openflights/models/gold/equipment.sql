{{ config(materialized='table') }}

with used as (
  select unnest(string_split(equipment, ' ')) as code
  from {{ ref('routes') }}
),

named as (
  -- A code that a family shares is named by how many types have it.
  select iata, case count(*) when 1 then min(name) else count(*) || ' types' end as plane
  from {{ ref('planes') }}
  where iata is not null
  group by iata
)

select used.code, named.plane, count(*) as mentions
from used
left join named on named.iata = used.code
where used.code <> ''
group by all
