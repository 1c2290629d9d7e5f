{#
A measured value in the base unit, by a table that the project declares: each unit with the factor that leads to the
base unit, or with `[factor, offset]`. Units are compared as they are written (`mW` is not `MW`), without the blanks
around them; NULL for a unit that the table does not name. The table may stand in `vars:` of headgate.yml.

    {{ hg.convert_unit('weight', 'unit', {'kg': 1, 'g': 0.001, 'lb': 0.45359237}) }} as weight_kg,
    {{ hg.convert_unit('degrees', 'scale', {'C': 1, 'K': [1, -273.15]}) }} as celsius
#}
{% macro convert_unit(value, unit, units) -%}
CASE trim({{ kit.text(unit) }})
{%- for name, rule in kit.mapping('convert_unit', 'units', units, "{'kg': 1, 'g': 0.001}").items() %}
{%- set pair = rule if rule is sequence and rule is not string else [rule, 0] %}
{%- if pair | length != 2 %}{{ kit.refuse("hg.convert_unit: the rule of " ~ kit.literal(name) ~ " is no factor", "Write a number, or [factor, offset]") }}{% endif %} WHEN {{ kit.literal(name | string) }} THEN ({{ value }}) * {{ kit.number('convert_unit', 'a factor', pair[0]) }}
{%- if pair[1] != 0 %} + ({{ kit.number('convert_unit', 'an offset', pair[1]) }}){% endif %}
{%- endfor %} END
{%- endmacro %}
