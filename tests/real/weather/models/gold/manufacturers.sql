{{ config(materialized='table') }}

-- The registry spells its makers in several ways.
with named as (
  select
    case
      when manufacturer like 'AIRBUS%' then 'AIRBUS'
      when manufacturer like 'MCDONNELL DOUGLAS%' then 'MCDONNELL DOUGLAS'
      when manufacturer like 'CANADAIR%' then 'CANADAIR'
      else manufacturer
    end as manufacturer,
    model,
    year,
    seats
  from {{ ref('planes') }}
)

select
  manufacturer,
  count(*) as planes,
  count(distinct model) as models,
  min(year) as oldest,
  max(seats) as most_seats
from named
group by all
