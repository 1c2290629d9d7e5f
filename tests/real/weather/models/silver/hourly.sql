-- One row per station and hour; degrees and precipitation as they were measured.
select
  origin,
  time_hour,
  month,
  temp,
  precip,
  wind_speed
from {{ ref('weather') }}
