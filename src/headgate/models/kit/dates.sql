{#
A date dimension: one row per day from `first` to `last`, both included. Columns: `date_key` (20240131), `date`,
`year`, `quarter`, `month`, `month_name`, `day`, `day_of_year`, `day_of_week` (Monday is 1), `day_name`, `is_weekend`,
`iso_year`, `iso_week`, `iso_week_label` (`2024-W05`), `first_of_month`, `last_of_month`, `fiscal_year`,
`fiscal_quarter`, `fiscal_month`. The fiscal year begins with month `fiscal_year_start`, and is named after the year
in which it ends (`fiscal_year='start'`: begins). With the unknown member, whose key is -1, unless `unknown=false`.
Names are English on every engine.

    {{ hg.date_dimension('2020-01-01', '2030-12-31', fiscal_year_start=4) }}
#}
{% macro date_dimension(first, last, fiscal_year_start=1, fiscal_year='end', unknown=true) -%}
{%- if fiscal_year_start not in range(1, 13) -%}
{{- kit.refuse("hg.date_dimension: fiscal_year_start=" ~ kit.literal(fiscal_year_start) ~ " is no month", "Write a number from 1 to 12") -}}
{%- endif -%}
{%- set named = kit.choice('date_dimension', 'fiscal_year', fiscal_year, 'end', 'start') -%}
{%- set low = kit.date('date_dimension', 'first', first) -%}
{%- set high = kit.date('date_dimension', 'last', last) -%}
{%- set months = "ARRAY['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']" -%}
{%- set days = "ARRAY['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']" -%}
{%- set fiscal_month = "(month + " ~ (12 - fiscal_year_start) ~ ") % 12" -%}
SELECT year * 10000 + month * 100 + day AS date_key, date, year, quarter, month, month_name, day, day_of_year, day_of_week, day_name,
day_of_week >= 6 AS is_weekend, iso_year, iso_week, CAST(iso_year AS VARCHAR) || '-W' || lpad(CAST(iso_week AS VARCHAR), 2, '0') AS iso_week_label,
first_of_month, CAST(first_of_month + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) AS last_of_month,
{% if fiscal_year_start == 1 -%}
year
{%- elif named == 'end' -%}
year + CASE WHEN month >= {{ fiscal_year_start }} THEN 1 ELSE 0 END
{%- else -%}
year - CASE WHEN month < {{ fiscal_year_start }} THEN 1 ELSE 0 END
{%- endif %} AS fiscal_year, CAST(floor(({{ fiscal_month }}) / 3.0) AS INTEGER) + 1 AS fiscal_quarter, {{ fiscal_month }} + 1 AS fiscal_month
FROM (
SELECT date,
{%- for name, part in {'year': 'year', 'quarter': 'quarter', 'month': 'month', 'day': 'day', 'day_of_year': 'doy', 'day_of_week': 'isodow', 'iso_year': 'isoyear', 'iso_week': 'week'}.items() %}
CAST(extract({{ part }} FROM date) AS INTEGER) AS {{ name }},
{%- endfor %}
({{ months }})[CAST(extract(month FROM date) AS INTEGER)] AS month_name, ({{ days }})[CAST(extract(isodow FROM date) AS INTEGER)] AS day_name,
CAST(date_trunc('month', date) AS DATE) AS first_of_month
FROM (SELECT CAST({{ 'generate_series' if kit.postgres else 'unnest(generate_series' }}(CAST({{ low }} AS TIMESTAMP), CAST({{ high }} AS TIMESTAMP), INTERVAL '1 day'){{ '' if kit.postgres else ')' }} AS DATE) AS date) AS _hg_days
) AS _hg_parts
{%- if unknown %}
UNION ALL
SELECT -1, NULL, NULL, NULL, NULL, 'Unknown', NULL, NULL, NULL, 'Unknown', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
{%- endif -%}
{%- endmacro %}
