{#
A dimension out of a table of versions (`load: {scd2: ...}`): every version with a surrogate `key` of its own (out of
`by` and the time it began), the columns `by` and `columns`, `effective_at`, `expires_at` (NULL: open) and
`is_current`, and the unknown member, whose key is `-1`, with what `unknown` says.

    {{ hg.scd_dimension(ref('raw.users'), key='user_key', by=['user_id'], columns=['name', 'city'], unknown={'name': 'Unknown'}) }}
#}
{% macro scd_dimension(relation, key, by, columns, unknown=none, valid_from='valid_from', valid_to='valid_to', is_current='is_current') -%}
{%- set identity = kit.names('scd_dimension', 'by', by) -%}
{%- set listed = identity + kit.names('scd_dimension', 'columns', columns) -%}
{%- set member = unknown or {} -%}
{{ kit.some('scd_dimension', 'unknown', member, listed) -}}
SELECT {{ hg.surrogate_key(kit.each(identity + [valid_from])) }} AS {{ kit.ident(key) }}, {{ kit.columns(listed) }},
{{ kit.ident(valid_from) }} AS effective_at, {{ kit.ident(valid_to) }} AS expires_at, {{ kit.ident(is_current) }} AS is_current
FROM {{ kit.relation('scd_dimension', relation) }} AS _hg_row
UNION ALL
SELECT '-1'{% for one in listed %}, {{ kit.member(one, member) }}{% endfor %}, _hg_row.{{ kit.ident(valid_from) }}, _hg_row.{{ kit.ident(valid_to) }}, TRUE
FROM (SELECT 1 AS _hg_one) AS _hg_member LEFT JOIN {{ relation }} AS _hg_row ON FALSE
{%- endmacro %}

{#
The rows of a relation (facts) with columns of the version that was valid **at the time** of the row: `valid_from` <=
`at` < `valid_to`, an open version has no end. A late fact so finds the version of its time, whenever it arrives. Rows
are never multiplied: versions of one identity that overlap make the model fail with `versions-overlap`. `on`, `take`,
`unmatched` and `unknown` are those of [lookup](#hglookup).

A fact from before the first version finds nothing; with `early='first'` it finds the first version.

    {{ hg.lookup_version(ref('orders'), ref('dim_users'), on='user_id', at='ordered_at', take=['user_key'], valid_from='effective_at',
                         valid_to='expires_at', unmatched='unknown', unknown={'user_key': '-1'}) }}
#}
{% macro lookup_version(relation, to, on, at, take, valid_from='valid_from', valid_to='valid_to', unmatched='null', unknown=none, early='unmatched') -%}
{%- set keys = kit.pairs('lookup_version', 'on', on) -%}
{%- set columns = kit.pairs('lookup_version', 'take', take) -%}
{%- set policy = kit.choice('lookup_version', 'unmatched', unmatched, 'null', 'unknown', 'fail') -%}
{%- set first = kit.choice('lookup_version', 'early', early, 'unmatched', 'first') == 'first' -%}
{%- if policy == 'unknown' %}{{ kit.every('lookup_version', 'unknown', unknown or {}, columns | map('first')) }}{% endif -%}
{%- set left = kit.relation('lookup_version', relation) -%}
{%- set right = kit.relation('lookup_version', to) -%}
{%- set listed = kit.columns(keys | map('last') | list) -%}
{%- set low = kit.ident(valid_from) -%}
{%- set high = kit.ident(valid_to) -%}
{%- set window = "OVER (PARTITION BY " ~ listed ~ " ORDER BY " ~ low ~ ")" -%}
{%- set when = "_hg_row." ~ kit.ident(at) -%}
{%- set begins = "CASE WHEN row_number() " ~ window ~ " = 1 THEN '-infinity' ELSE " ~ low ~ " END" if first else low -%}
{%- set versions = "(SELECT *, " ~ begins ~ " AS _hg_low, coalesce(" ~ high ~ ", 'infinity') AS _hg_high FROM " ~ right ~ " AS _hg_version) AS _hg_to" -%}
{#- Plain comparisons: with OR in it, DuckDB would compare every fact with every version. -#}
{%- set matches = kit.same('_hg_row', '_hg_to', keys) ~ " AND " ~ when ~ " >= _hg_to._hg_low AND " ~ when ~ " < _hg_to._hg_high" -%}
{%- set overlaps = "SELECT " ~ listed ~ " FROM (SELECT " ~ listed ~ ", " ~ high ~ " AS _hg_end, lead(" ~ low ~ ") " ~ window ~ " AS _hg_next FROM " ~ right ~ " AS _hg_version) AS _hg_to WHERE _hg_next < _hg_end OR (_hg_end IS NULL AND _hg_next IS NOT NULL)" -%}
{%- set overlaps = "SELECT DISTINCT * FROM (" ~ overlaps ~ ") AS _hg_overlapping WHERE " ~ kit.not_null(keys | map('last') | list) -%}
SELECT _hg_row.*{% for column, name in columns %}, {{ kit.found(keys[0][1], column, unknown if policy == 'unknown' else none) }} AS {{ kit.ident(name) }}{% endfor %}
FROM {{ left }} AS _hg_row
LEFT JOIN {{ versions }} ON {{ matches }}
WHERE {{ kit.guard('versions-overlap', "versions of one identity (" ~ keys | map('last') | join(', ') ~ ") overlap", overlaps, kit.query(to, overlaps)) }}
{%- if policy == 'fail' %}
{%- set lost = "SELECT DISTINCT " ~ kit.columns(keys | map('first') | list, '_hg_row') ~ " FROM " ~ left ~ " AS _hg_row WHERE NOT EXISTS (SELECT 1 FROM " ~ versions ~ " WHERE " ~ matches ~ ")" %}
AND {{ kit.guard('lookup-unmatched', "rows find no version of (" ~ keys | map('first') | join(', ') ~ ") at their time", lost, '' if not kit.query(to, lost) else kit.query(relation, lost)) }}
{%- endif -%}
{%- endmacro %}
