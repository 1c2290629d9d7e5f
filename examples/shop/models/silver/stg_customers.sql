select
    id as customer_id,
    name,
    lower(email) as email,
    country,
    newsletter,
    signed_up
from {{ ref('raw.customers') }}
