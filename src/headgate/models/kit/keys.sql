{#
A key of 32 hexadecimal digits out of the values of several columns (SQL): the same values give the same key on every
engine, today and tomorrow. Values can't run into each other (`'a', 'bc'` is not `'ab', 'c'`) and NULL is not the
empty text. Values are taken as the text that the engine casts them to, so a number and its digits give one key; cast
what engines write differently, as floats.

    {{ hg.surrogate_key(['user_id', 'valid_from']) }} as user_key
#}
{% macro surrogate_key(columns) -%}
md5(
{%- for one in kit.names('surrogate_key', 'columns', columns) -%}
{{ ' || ' if not loop.first }}coalesce(length({{ kit.text(one) }}) || ':' || {{ kit.text(one) }}, 'n')
{%- endfor -%}
)
{%- endmacro %}

{#
A dimension: a surrogate `key` out of the columns `by`, the `columns`, and the **unknown member**: one row whose key
is `-1` for facts that know no better. Its columns hold what `unknown` says, NULL where it says nothing.

    {{ hg.dimension(ref('products'), key='product_key', by=['sku'], columns=['sku', 'name'], unknown={'name': 'Unknown'}) }}
#}
{% macro dimension(relation, key, by, columns, unknown=none) -%}
{%- set listed = kit.names('dimension', 'columns', columns) -%}
{%- set quoted = kit.each(kit.names('dimension', 'by', by)) -%}
{%- set member = unknown or {} -%}
{{ kit.some('dimension', 'unknown', member, listed) -}}
SELECT {{ surrogate_key(quoted) }} AS {{ kit.ident(key) }}, {{ kit.columns(listed) }}
FROM {{ kit.relation('dimension', relation) }} AS _hg_row
UNION ALL
SELECT '-1'{% for one in listed %}, {{ kit.member(one, member) }}{% endfor %}
FROM (SELECT 1 AS _hg_one) AS _hg_member LEFT JOIN {{ relation }} AS _hg_row ON FALSE
{%- endmacro %}

{#
The key of a day in the date dimension: 20240131 for 31 January 2024, and -1 for NULL.

    {{ hg.date_key('ordered_at') }} as ordered_on
#}
{% macro date_key(date) -%}
coalesce(CAST(extract(year FROM CAST({{ date }} AS DATE)) * 10000 + extract(month FROM CAST({{ date }} AS DATE)) * 100 + extract(day FROM CAST({{ date }} AS DATE)) AS INTEGER), -1)
{%- endmacro %}
