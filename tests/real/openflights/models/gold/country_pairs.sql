{{ config(materialized='table') }}

-- Both directions are one pair.
select
  least(origin_country, destination_country) as country_a,
  greatest(origin_country, destination_country) as country_b,
  country_a || ' - ' || country_b as pair,
  count(*) as routes,
  count(*) filter (is_codeshare) as codeshares,
  count(distinct airline) as airlines
from {{ ref('routes_named') }}
group by all
