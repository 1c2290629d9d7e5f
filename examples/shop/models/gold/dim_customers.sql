{{ config(materialized='table') }}

with bought as (
    select
        customer_id,
        min(order_date) as first_order,
        max(order_date) as last_order,
        count(*) as orders,
        sum(amount) as revenue
    from {{ ref('stg_orders') }}
    where is_sale
    group by customer_id
)

select
    c.customer_id,
    c.name,
    n.country,
    n.region,
    c.signed_up,
    b.first_order,
    b.last_order,
    coalesce(b.orders, 0) as orders,
    coalesce(b.revenue, 0) as revenue,
    case
        when b.orders is null then 'none yet'
        when b.orders = 1 then 'once'
        else 'repeat'
    end as buys
from {{ ref('stg_customers') }} as c
left join {{ ref('countries') }} as n on n.code = c.country
left join bought as b using (customer_id)
