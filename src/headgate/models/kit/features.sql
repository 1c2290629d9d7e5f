{#
Point-in-time join: the rows of a relation (labels, each with a time `at`) with the newest features of the same entity
that were known by then: `time` <= `at`, or before it with `strict=true`. `take` names the features; their time comes
with them as `time_as`, for the tests below. `within` (`'30 days'`) leaves out features that are older. Rows are never
multiplied: features that stand twice at one time make the model fail with `features-duplicates`.

    {{ hg.as_of(ref('labels'), ref('user_features'), on='user_id', at='label_at', time='known_at', take=['orders_30d'], within='90 days') }}
#}
{% macro as_of(relation, features, on, at, time, take, time_as='feature_at', within=none, strict=false) -%}
{%- set keys = kit.pairs('as_of', 'on', on) -%}
{%- set columns = kit.pairs('as_of', 'take', take) + [(time, time_as)] -%}
{%- set right = kit.relation('as_of', features) -%}
{%- set listed = kit.columns(keys | map('last') | list) -%}
{%- set known = kit.ident(time) -%}
{%- set when = "_hg_row." ~ kit.ident(at) -%}
{%- set twice = "SELECT " ~ listed ~ ", " ~ known ~ ", count(*) AS rows_found FROM " ~ right ~ " AS _hg_to WHERE " ~ kit.not_null([time] + (keys | map('last') | list)) ~ " GROUP BY " ~ listed ~ ", " ~ known ~ " HAVING count(*) > 1" -%}
SELECT _hg_row.*
{%- for column, name in columns %}, {% if within -%}
CASE WHEN _hg_to.{{ known }} >= {{ when }} - INTERVAL {{ kit.literal(within) }} THEN _hg_to.{{ kit.ident(column) }} END
{%- else -%}
_hg_to.{{ kit.ident(column) }}
{%- endif %} AS {{ kit.ident(name) }}
{%- endfor %}
FROM {{ kit.relation('as_of', relation) }} AS _hg_row
{% if kit.postgres -%}
LEFT JOIN (
SELECT *, lead({{ known }}) OVER (PARTITION BY {{ listed }} ORDER BY {{ known }}) AS _hg_next FROM {{ right }} AS _hg_known WHERE {{ known }} IS NOT NULL
) AS _hg_to ON {{ kit.same('_hg_row', '_hg_to', keys) }} AND {{ when }} {{ '>' if strict else '>=' }} _hg_to.{{ known }} AND ({{ when }} {{ '<=' if strict else '<' }} _hg_to._hg_next OR _hg_to._hg_next IS NULL)
{%- else -%}
ASOF LEFT JOIN {{ right }} AS _hg_to ON {{ kit.same('_hg_row', '_hg_to', keys) }} AND {{ when }} {{ '>' if strict else '>=' }} _hg_to.{{ known }}
{%- endif %}
WHERE {{ kit.guard('features-duplicates', "features stand more than once at one time", twice, kit.query(features, twice)) }}
{%- endmacro %}

{#
For a column that holds the time of a feature: fails for every row in which it is younger than `label_time` (with
`strict: true`: not older).

    - name: feature_at
      tests: [{hg.no_leakage: {label_time: label_at}}]
#}
{% test no_leakage(model, column_name, label_time, strict=false) -%}
SELECT * FROM {{ model }} WHERE {{ kit.ident(column_name) }} {{ '>=' if strict else '>' }} {{ kit.ident(label_time) }}
{%- endtest %}

{#
For a model: fails for every row whose `columns` no row of `features` (same `on`) held at or before the row's `at`. It
looks at values only, not at what the join says of itself, and so proves that nothing in the row comes from after its
label, however it was joined. Rows without any feature pass.

    tests:
      - hg.only_past_values: {features: ref('user_features'), on: user_id, at: label_at, time: known_at, columns: [orders_30d]}
#}
{% test only_past_values(model, features, on, at, time, columns, strict=false) -%}
{%- set names = kit.pairs('only_past_values', 'columns', columns) -%}
SELECT _hg_row.* FROM {{ model }} AS _hg_row
WHERE ({% for own, _ in names %}{{ ' OR ' if not loop.first }}_hg_row.{{ kit.ident(own) }} IS NOT NULL{% endfor %})
AND NOT EXISTS (SELECT 1 FROM {{ features }} AS _hg_known WHERE {{ kit.same('_hg_row', '_hg_known', kit.pairs('only_past_values', 'on', on)) }}
AND _hg_known.{{ kit.ident(time) }} {{ '<' if strict else '<=' }} _hg_row.{{ kit.ident(at) }}
{%- for own, theirs in names %} AND _hg_known.{{ kit.ident(theirs) }} IS NOT DISTINCT FROM _hg_row.{{ kit.ident(own) }}{% endfor %})
{%- endtest %}
