{{ config(materialized='table') }}

select
    p.product_id,
    p.product,
    p.category,
    count(o.order_id) as orders,
    coalesce(sum(o.quantity), 0) as pieces,
    coalesce(sum(o.amount), 0) as revenue
from {{ ref('stg_products') }} as p
left join {{ ref('stg_orders') }} as o on o.product_id = p.product_id and o.is_sale
group by p.product_id, p.product, p.category
