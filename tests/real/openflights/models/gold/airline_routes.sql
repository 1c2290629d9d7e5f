{{ config(materialized='table') }}

-- Every active airline, also one without a route.
select
  airlines.id,
  airlines.name,
  airlines.country,
  count(routes.airline) as routes,
  count(routes.codeshare) as codeshares,
  count(distinct routes.source_airport_id) as origins
from {{ ref('airlines') }} as airlines
left join {{ ref('routes') }} as routes on routes.airline_id = airlines.id
where airlines.active = 'Y'
group by all
