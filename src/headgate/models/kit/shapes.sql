{#
Rows to columns: one row per value of the columns `by`, one column for each of the given `values` of `column`, which
is compared as text. A mapping names the columns: `{'new': 'orders_new'}`; `none` among the values is NULL. Cells are
`agg` of `value` (SQL), `fill` where there are no rows. What is not among the values is in no cell; `other='other'`
names a column that counts it, so that nothing vanishes unseen.

    {{ hg.pivot(ref('orders'), by=['day'], column='status', values=['new', 'paid'], value='amount', agg='sum', fill=0) }}
#}
{% macro pivot(relation, by, column, values, value='1', agg='count', fill=none, other=none) -%}
{%- set groups = kit.columns(kit.names('pivot', 'by', by)) -%}
{%- set made = kit.choice('pivot', 'agg', agg, 'count', 'sum', 'min', 'max', 'avg') -%}
{%- set cell = kit.text(kit.ident(column)) -%}
{%- if values is not mapping and (values is string or values is not sequence or not values) -%}
{{- kit.refuse("hg.pivot: values=" ~ kit.literal(values) ~ " is no list of values", "Write values=['new', 'paid']") -}}
{%- endif -%}
SELECT {{ groups }}
{%- for one in values %}
{%- set match = cell ~ (' IS NULL' if one is none else ' = ' ~ kit.literal(one | string)) %}
{%- set sql = made ~ "(" ~ value ~ ") FILTER (WHERE " ~ match ~ ")" %}
{%- set name = values[one] if values is mapping else 'null' if one is none else one | string %},
{% if fill is none %}{{ sql }}{% else %}coalesce({{ sql }}, {{ kit.literal(fill) }}){% endif %} AS {{ kit.ident(name) }}
{%- endfor %}
{%- if other is not none %}
{%- set known = values | reject('none') | map('string') | map('replace', "'", "''") | join("', '") %},
count(*) FILTER (WHERE {{ cell }} IS NULL{{ ' AND FALSE' if none in values }} OR {{ cell }} NOT IN ('{{ known }}')) AS {{ kit.ident(other) }}
{%- endif %}
FROM {{ kit.relation('pivot', relation) }} AS _hg_row
GROUP BY {{ groups }}
{%- endmacro %}

{#
Columns to rows: for every row one for each of `columns`, with the columns `keep`, the column's name in `name` and its
value in `value`. A mapping gives other names: `{'q1': 'first quarter'}`. Values of several types need `kind=`, the
type of all of them. `nulls=false` leaves out rows without a value.

    {{ hg.unpivot(ref('budget'), keep=['team'], columns=['q1', 'q2'], name='quarter', value='amount') }}
#}
{% macro unpivot(relation, keep, columns, name='name', value='value', kind=none, nulls=true) -%}
{%- set kept = kit.columns(kit.names('unpivot', 'keep', keep)) -%}
{%- set from = kit.relation('unpivot', relation) -%}
SELECT * FROM (
{% for column, told in kit.pairs('unpivot', 'columns', columns) -%}
{%- if not loop.first %}
UNION ALL
{% endif -%}
SELECT {{ kept }}, CAST({{ kit.literal(told) }} AS VARCHAR) AS {{ kit.ident(name) }}, {% if kind %}CAST({{ kit.ident(column) }} AS {{ kind }}){% else %}{{ kit.ident(column) }}{% endif %} AS {{ kit.ident(value) }} FROM {{ from }} AS _hg_row
{%- endfor %}
) AS _hg_long
{%- if not nulls %}
WHERE {{ kit.ident(value) }} IS NOT NULL
{%- endif -%}
{%- endmacro %}
