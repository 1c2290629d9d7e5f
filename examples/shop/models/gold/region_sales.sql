select
    region,
    count(*) as customers,
    sum(orders) as orders,
    sum(revenue) as revenue,
    cast(avg(case when buys = 'repeat' then 1 else 0 end) as decimal(5, 4)) as repeat_share
from {{ ref('dim_customers') }}
group by region
