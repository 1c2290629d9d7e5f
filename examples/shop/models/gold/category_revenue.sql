select
    category,
    sum(pieces) as pieces,
    sum(revenue) as revenue
from {{ ref('product_revenue') }}
group by category
