{{ config(materialized='table') }}

select
    order_date,
    count(*) as orders,
    count(distinct customer_id) as customers,
    sum(amount) as revenue,
    cast(sum(amount) / count(*) as decimal(12, 2)) as average_order
from {{ ref('stg_orders') }}
where is_sale
group by order_date
