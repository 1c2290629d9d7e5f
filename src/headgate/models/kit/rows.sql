{#
One row for each value of the columns `by`: the first by `order_by`. NULL equals NULL, so rows without a key are one,
too. Rows that tie are told apart by `ties` (SQL, for wide tables a key), without it by all of their values, so the
same rows always give the same answer on one engine; `ties` makes engines agree. NULL comes last in `order_by` on every engine, unless it says `nulls first`.

    {{ hg.deduplicate(ref('orders'), by=['order_id'], order_by='updated_at desc') }}
#}
{% macro deduplicate(relation, by, order_by, ties=none) -%}
{%- set keys = kit.columns(kit.names('deduplicate', 'by', by), '_hg_row') -%}
{%- set last = kit.order('deduplicate', ties) if ties is not none else '_hg_row' if not kit.postgres else 'CAST(_hg_row AS text) COLLATE "C"' -%}
{%- set order = kit.order('deduplicate', order_by) ~ ', ' ~ last -%}
{%- if kit.postgres -%}
SELECT DISTINCT ON ({{ keys }}) _hg_row.* FROM {{ kit.relation('deduplicate', relation) }} AS _hg_row
ORDER BY {{ keys }}, {{ order }}
{%- else -%}
SELECT _hg_row.* FROM {{ kit.relation('deduplicate', relation) }} AS _hg_row
QUALIFY row_number() OVER (PARTITION BY {{ keys }} ORDER BY {{ order }}) = 1
{%- endif -%}
{%- endmacro %}

{#
The rows of a relation with columns of another. A lookup **never multiplies rows**: if the key is there twice, the
model fails with `lookup-duplicates` and a query that shows these keys. `on` names the columns: one, several, or
`{'customer': 'id'}`; `take` those that are added, `{'name': 'customer_name'}` under another name, which a column that
is there already needs. NULL never matches.

`unmatched` says what becomes of rows that find nothing: `null` (the columns are NULL), `unknown` (they are what
`unknown=` says), or `fail`: the model fails with `lookup-unmatched`. A NULL that was found stays NULL.

    {{ hg.lookup(ref('orders'), ref('customers'), on={'customer_id': 'id'}, take={'name': 'customer'},
                 unmatched='unknown', unknown={'name': 'Unknown'}) }}
#}
{% macro lookup(relation, to, on, take, unmatched='null', unknown=none) -%}
{%- set keys = kit.pairs('lookup', 'on', on) -%}
{%- set columns = kit.pairs('lookup', 'take', take) -%}
{%- set policy = kit.choice('lookup', 'unmatched', unmatched, 'null', 'unknown', 'fail') -%}
{%- if policy == 'unknown' %}{{ kit.every('lookup', 'unknown', unknown or {}, columns | map('first')) }}{% endif -%}
{%- set left = kit.relation('lookup', relation) -%}
{%- set right = kit.relation('lookup', to) -%}
{%- set listed = kit.columns(keys | map('last') | list) -%}
{%- set named = "the key (" ~ keys | map('last') | join(', ') ~ ")" -%}
{%- set twice = "SELECT " ~ listed ~ ", count(*) AS rows_found FROM " ~ right ~ " AS _hg_to WHERE " ~ kit.not_null(keys | map('last') | list) ~ " GROUP BY " ~ listed ~ " HAVING count(*) > 1" -%}
SELECT _hg_row.*{% for column, name in columns %}, {{ kit.found(keys[0][1], column, unknown if policy == 'unknown' else none) }} AS {{ kit.ident(name) }}{% endfor %}
FROM {{ left }} AS _hg_row
LEFT JOIN {{ right }} AS _hg_to ON {{ kit.same('_hg_row', '_hg_to', keys) }}
WHERE {{ kit.guard('lookup-duplicates', named ~ " is there more than once in what is looked up", twice, kit.query(to, twice)) }}
{%- if policy == 'fail' %}
{%- set lost = "SELECT _hg_row.* FROM " ~ left ~ " AS _hg_row WHERE NOT EXISTS (SELECT 1 FROM " ~ right ~ " AS _hg_to WHERE " ~ kit.same('_hg_row', '_hg_to', keys) ~ ")" %}
AND {{ kit.guard('lookup-unmatched', "rows find nothing by the key (" ~ keys | map('first') | join(', ') ~ ")", "SELECT DISTINCT " ~ kit.columns(keys | map('first') | list) ~ " FROM (" ~ lost ~ ") AS _hg_lost", '' if not kit.query(to, lost) else kit.query(relation, lost)) }}
{%- endif -%}
{%- endmacro %}
