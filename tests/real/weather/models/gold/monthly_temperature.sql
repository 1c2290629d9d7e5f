{{ config(materialized='table') }}

select
  hourly.origin || '-' || lpad(cast(hourly.month as varchar), 2, '0') as station_month,
  airports.name as airport,
  hourly.month,
  count(*) as hours,
  count(hourly.temp) as measured,
  min(hourly.temp) as coldest,
  round(avg(hourly.temp), 2) as mean,
  max(hourly.temp) as warmest,
  sum(hourly.precip) as precip
from {{ ref('hourly') }} as hourly
join {{ ref('airports') }} as airports on airports.faa = hourly.origin
group by all
