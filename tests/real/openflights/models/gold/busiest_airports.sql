{{ config(materialized='table') }}

with ends as (
  select source_airport_id as id, 1 as departures, 0 as arrivals, destination_airport_id as other
  from {{ ref('routes_named') }}
  union all
  select destination_airport_id, 0, 1, source_airport_id
  from {{ ref('routes_named') }}
)

select
  airports.id,
  airports.iata,
  airports.name,
  airports.country,
  sum(ends.departures) as departures,
  sum(ends.arrivals) as arrivals,
  count(*) as routes,
  count(distinct ends.other) as neighbours
from ends
join {{ ref('airports') }} as airports using (id)
group by all
