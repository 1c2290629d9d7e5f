{{ config(materialized='incremental', time_column='order_date') }}

select
    order_id,
    ordered_at,
    cast(ordered_at as date) as order_date,
    customer_id,
    product_id,
    quantity,
    amount,
    status,
    channel,
    status not in ('cancelled', 'returned') as is_sale
from {{ ref('raw.orders') }}
