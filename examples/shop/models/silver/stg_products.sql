select
    id as product_id,
    name as product,
    category,
    price as list_price
from {{ ref('raw.products') }}
