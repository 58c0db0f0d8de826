-- What a per-object limit is counted from (decisions D11): how many writes an attempt really sent.
alter table attempt add column writes smallint not null default 0;
