-- One row per route, with the names that its ids stand for.
select
  routes.airline,
  airlines.name as airline_name,
  routes.source_airport_id,
  origin.name as origin_name,
  origin.country as origin_country,
  routes.destination_airport_id,
  destination.name as destination_name,
  destination.country as destination_country,
  routes.codeshare is not null as is_codeshare,
  routes.equipment
from {{ ref('raw.routes') }} as routes
join {{ ref('raw.airlines') }} as airlines on airlines.id = routes.airline_id
join {{ ref('raw.airports') }} as origin on origin.id = routes.source_airport_id
join {{ ref('raw.airports') }} as destination on destination.id = routes.destination_airport_id
