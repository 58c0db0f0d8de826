-- name: lanes
select target,
       count(*) filter (where due <= casebridge.now()),
       count(*) filter (where nonce is not null and due > casebridge.now()),
       count(*) filter (where nonce is null and due > casebridge.now()),
       extract(epoch from casebridge.now() - min(due) filter (where due <= casebridge.now()))::float8
from lane where due is not null group by target

-- name: sources
select p.source, coalesce(s.waiting, 0), s.oldest,
       extract(epoch from casebridge.now() - p.read_at)::float8, c.source is not null, p.reason
from source_object p
left join cursor c using (source)
left join (select source, count(*) as waiting,
                  extract(epoch from casebridge.now() - min(received_at))::float8 as oldest
           from signal where state = 'open' group by source) s using (source)
where p.object = '*' order by p.source

-- name: changes
select count(*), extract(epoch from casebridge.now() - min(read_at))::float8 from change where state = 'open'

-- name: dead
select queue, reason, count(*), extract(epoch from casebridge.now() - min(died_at))::float8
from dead_letter where state = 'dead' group by queue, reason order by queue, reason
