{#
A country as its ISO 3166-1 code, out of a code of two or three letters or a name: English, and the most usual others.
Case, accents and punctuation do not count (`U.S.A.`, `Cote d'Ivoire`). `form` is `alpha_2` (FR), `alpha_3` (FRA) or
`name` (France). NULL for everything else.

    {{ hg.country('country') }} as country_code
#}
{% macro country(text, form='alpha_2') -%}
{%- set key = "trim(regexp_replace(upper(" ~ kit.plain(text) ~ "), '[^A-Z0-9]+', ' ', 'g'))" -%}
{{ kit.pick(kit.countries[kit.choice('country', 'form', form, 'alpha_2', 'alpha_3', 'name')], key) }}
{%- endmacro %}

{#
A telephone number as E.164 has it: `+4930123456`. `country` says where a number without country code is dialled: a
code of two letters, or with `country_column=` the SQL of such a code. `+`, `00` and, in North America, `011` begin an
international number; the trunk prefix (`0`; `1`, `8`, `06` where that is dialled) is taken off; blanks, dots, dashes,
slashes, parentheses and `(0)` are taken out. NULL for what is no possible number of that country by its length (that
nobody need have), with letters or an extension, or without a known country. Lengths are those of fixed and mobile
lines; a number that differs abroad by more than its trunk prefix (mobile ones of Argentina) is known as `+54 9 ...` only.

    {{ hg.phone('phone', country='DE') }} as phone,
    {{ hg.phone('phone', country_column=hg.country('country')) }} as phone_by_country
#}
{% macro phone(text, country=none, country_column=none) -%}
{%- set numbers = kit.phones -%}
{%- set code = "''" -%}
{%- if country is not none -%}
{%- if country not in numbers.codes -%}
{{- kit.refuse("hg.phone: country=" ~ kit.literal(country) ~ " has no numbers", "Write a code of two letters, as country='FR', or country_column='country'") -}}
{%- endif -%}
{%- set code = kit.literal(numbers.codes[country]) -%}
{%- elif country_column is not none -%}
{%- set code = "coalesce(" ~ kit.pick(numbers.codes, "upper(trim(" ~ kit.text(country_column) ~ "))") ~ ", '')" -%}
{%- endif -%}
{%- set compact = "regexp_replace(replace(" ~ _digits(text) ~ ", '(0)', 'T'), '[ ()./-]+', '', 'g')" -%}
{%- set steps = namespace(sql=code ~ " || 'N' || " ~ compact) -%}
{%- set steps.sql = "regexp_replace(" ~ steps.sql ~ ", '^(?:[0-9]*N(?:[+]|00)|1N011)', '')" -%}
{%- for prefix, codes in numbers.trunk.items() -%}
{%- set gone = '(?:NT|N0?|T|0)' if prefix == '0' else 'N' ~ prefix -%}
{%- set steps.sql = "regexp_replace(" ~ steps.sql ~ ", '^(" ~ codes ~ ")" ~ gone ~ "', '\\1')" -%}
{%- endfor -%}
{%- for calling, length in numbers.eights -%}
{%- set steps.sql = "regexp_replace(" ~ steps.sql ~ ", '^(" ~ calling ~ ")N80?([0-9]{" ~ length ~ "})$', '\\1\\2')" -%}
{%- endfor -%}
{%- set steps.sql = "regexp_replace(" ~ steps.sql ~ ", '^([0-9]+)N', '\\1')" -%}
'+' || {{ kit.extract(steps.sql, '^(' ~ numbers.international ~ ')$') }}
{%- endmacro %}

{% macro _digits(text) -%}
regexp_replace(trim({{ kit.text(text) }}), '{{ '[\\u00A0\\u2010-\\u2014\\u202F]' if kit.postgres else '[\\x{00A0}\\x{2010}-\\x{2014}\\x{202F}]' }}', ' ', 'g')
{%- endmacro %}
