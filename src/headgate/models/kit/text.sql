{#
Text in one form: Unicode composed (NFC), blanks and control characters of every kind collapsed to one blank, none at
the ends. What is empty then is NULL (`empty='keep'`: stays empty). `case` is `keep`, `lower` or `upper`, by the rules
of the warehouse (PostgreSQL with the locale C knows ASCII only).

    {{ hg.clean_text('name') }} as name
#}
{% macro clean_text(text, case='keep', empty='null') -%}
{%- set fold = {'keep': '', 'lower': 'lower', 'upper': 'upper'}[kit.choice('clean_text', 'case', case, 'keep', 'lower', 'upper')] -%}
{%- set made = fold ~ "(trim(regexp_replace(" ~ kit.nfc(text) ~ ", '" ~ kit.blanks() ~ "', ' ', 'g')))" -%}
{%- if kit.choice('clean_text', 'empty', empty, 'null', 'keep') == 'null' -%}nullif({{ made }}, ''){%- else -%}{{ made }}{%- endif -%}
{%- endmacro %}

{#
An e-mail address in its normal form: blanks around it gone, lower case, composed. NULL for what is no address:
without exactly one `@`, a domain of two parts and no blanks, or longer than 254 characters. `tag='drop'` takes `+tag`
off the part before the `@`. Whether a mailbox exists, nothing here knows; and that `A@x.org` and `a@x.org` are one
mailbox is a convention that all large providers keep.

    {{ hg.email('mail') }} as mail
#}
{% macro email(text, tag='keep') -%}
{%- set atom = '[^[:space:]@<>"(),:;\\[\\]\\\\.]+' -%}
{%- set label = '[^[:space:]@<>"(),:;\\[\\]\\\\./_]+' -%}
{%- set domain = '@(?:' ~ label ~ '\\.)+[^[:space:]@<>"(),:;\\[\\]\\\\./_0-9]{2,}' -%}
{%- set clean = "lower(" ~ clean_text(text) ~ ")" -%}
{%- if kit.choice('email', 'tag', tag, 'keep', 'drop') == 'drop' -%}
{%- set clean = "regexp_replace(" ~ clean ~ ", '^([^@+]+)[+][^@]*@', '\\1@')" -%}
{%- endif -%}
{{ kit.extract("CASE WHEN length(" ~ kit.text(text) ~ ") <= 300 THEN " ~ clean ~ " END", '^((?:' ~ atom ~ '\\.)*' ~ atom ~ domain ~ ')$') }}
{%- endmacro %}
