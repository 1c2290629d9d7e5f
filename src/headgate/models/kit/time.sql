{#
A local time, of a clock on the wall in `zone` (an IANA name, or with `zone_column=` the SQL of one), as a timestamp
in UTC. Twice a year such a clock is unclear, and both engines are made to answer alike:

* an hour that comes twice (clocks go back) is taken as the `later` one, in standard time; `ambiguous='earlier'` takes
  the first, `'null'` says NULL;
* an hour that never comes (clocks go forward) is `shift`ed to after the gap, as if the clock had not been changed
  yet; `missing='null'` says NULL.

    {{ hg.to_utc('ordered_at', 'Europe/Berlin') }} as ordered_at
#}
{% macro to_utc(local, zone=none, zone_column=none, ambiguous='later', missing='shift') -%}
{%- if (zone is none) == (zone_column is none) -%}
{{- kit.refuse("hg.to_utc: it needs zone or zone_column, and not both", "Write hg.to_utc('ordered_at', 'Europe/Berlin')") -}}
{%- endif -%}
{%- set tz = kit.literal(zone) if zone is not none else kit.text(zone_column) -%}
{%- set wall = "CAST(" ~ local ~ " AS TIMESTAMP)" -%}
{%- set utc = "timezone('UTC', timezone(" ~ tz ~ ", " ~ wall ~ "))" -%}
{%- set twice = kit.choice('to_utc', 'ambiguous', ambiguous, 'later', 'earlier', 'null') -%}
{%- set gap = kit.choice('to_utc', 'missing', missing, 'shift', 'null') -%}
{%- if twice == 'later' and gap == 'shift' -%}
{{ utc }}
{%- else -%}
CASE
{%- if gap == 'null' %} WHEN {{ _shown(utc, tz) }} <> {{ wall }} THEN NULL{% endif -%}
{%- if twice != 'later' -%}
{%- for step in ('1 hour', '30 minutes', '2 hours') %}
{%- set earlier = utc ~ " - INTERVAL '" ~ step ~ "'" %} WHEN {{ _shown(earlier, tz) }} = {{ wall }} THEN {{ earlier if twice == 'earlier' else 'NULL' }}
{%- endfor -%}
{%- endif %} ELSE {{ utc }} END
{%- endif -%}
{%- endmacro %}

{% macro _shown(utc, tz) -%}timezone({{ tz }}, timezone('UTC', {{ utc }})){%- endmacro %}

{#
Measures by period: one row per period, and per value of the columns `by`. `grain` is `minute`, `hour`, `day`, `week`
(from Monday), `month`, `quarter` or `year`; `measures` maps names to aggregates. `fill` also gives the periods
without rows, from the first to the last (and at least from `first=` to `last=`), for every combination of `by` that
there is: `fill={'orders': 0}` names what a measure is then, NULL where it says nothing; `fill={}` fills with NULL.
Rows without a time are a period NULL of their own, so that nothing is left out.

    {{ hg.rollup(ref('orders'), 'ordered_at', 'day', {'orders': 'count(*)'}, fill={'orders': 0}) }}
#}
{% macro rollup(relation, time, grain, measures, by=none, fill=none, period='period', first=none, last=none) -%}
{%- set steps = {'minute': '1 minute', 'hour': '1 hour', 'day': '1 day', 'week': '7 days', 'month': '1 month', 'quarter': '3 months', 'year': '1 year'} -%}
{%- set step = steps[kit.choice('rollup', 'grain', grain, *steps)] -%}
{%- set from = kit.relation('rollup', relation) -%}
{%- set given = kit.mapping('rollup', 'measures', measures, "{'orders': 'count(*)'}") -%}
{%- set groups = kit.names('rollup', 'by', by) if by else [] -%}
{%- set at = kit.ident(period) -%}
{%- set cut = "CAST(date_trunc('" ~ grain ~ "', " ~ time ~ ") AS TIMESTAMP)" -%}
{%- set counted -%}
SELECT {{ cut }} AS {{ at }}{% for one in groups %}, {{ kit.ident(one) }}{% endfor %}
{%- for name, sql in given.items() %}, {{ sql }} AS {{ kit.ident(name) }}{% endfor %}
FROM {{ from }} AS _hg_rows
GROUP BY {{ cut }}{% for one in groups %}, {{ kit.ident(one) }}{% endfor %}
{%- endset -%}
{%- set low = 'min(' ~ at ~ ')' if first is none else 'least(min(' ~ at ~ '), ' ~ kit.date('rollup', 'first', first) ~ ')' -%}
{%- set high = 'max(' ~ at ~ ')' if last is none else 'greatest(max(' ~ at ~ '), ' ~ kit.date('rollup', 'last', last) ~ ')' -%}
{%- if fill is none -%}
{{ counted }}
{%- else -%}
SELECT * FROM (
WITH _hg_counted AS (
{{ counted }}
), _hg_bounds AS (
SELECT date_trunc('{{ grain }}', CAST({{ low }} AS TIMESTAMP)) AS low, date_trunc('{{ grain }}', CAST({{ high }} AS TIMESTAMP)) AS high FROM _hg_counted
), _hg_periods AS (
SELECT {{ 'generate_series' if kit.postgres else 'unnest(generate_series' }}(low, high, INTERVAL '{{ step }}'){{ '' if kit.postgres else ')' }} AS {{ at }} FROM _hg_bounds
){% if groups %}, _hg_groups AS (
SELECT DISTINCT {{ kit.columns(groups) }} FROM _hg_counted
){% endif %}
SELECT _hg_periods.{{ at }}
{%- for one in groups %}, _hg_groups.{{ kit.ident(one) }}{% endfor %}
{%- for name in given %}, {% if name in fill -%}
CASE WHEN _hg_counted.{{ at }} IS NULL THEN {{ kit.literal(fill[name]) }} ELSE _hg_counted.{{ kit.ident(name) }} END AS {{ kit.ident(name) }}
{%- else -%}_hg_counted.{{ kit.ident(name) }}{%- endif %}{% endfor %}
FROM _hg_periods{% if groups %} CROSS JOIN _hg_groups{% endif %}
LEFT JOIN _hg_counted ON _hg_counted.{{ at }} = _hg_periods.{{ at }}
{%- for one in groups %} AND _hg_counted.{{ kit.ident(one) }} IS NOT DISTINCT FROM _hg_groups.{{ kit.ident(one) }}{% endfor %}
UNION ALL
SELECT {{ at }}{% for one in groups %}, {{ kit.ident(one) }}{% endfor %}{% for name in given %}, {{ kit.ident(name) }}{% endfor %}
FROM _hg_counted WHERE {{ at }} IS NULL
) AS _hg_rollup
{%- endif -%}
{%- endmacro %}
