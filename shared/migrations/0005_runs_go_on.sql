-- A run that goes on no longer says why it waited: that it lays out a page is the proof.
create or replace function run_expects(of_run text, symbols text[], intervals text[]) returns void language plpgsql as $$
begin
    perform from runs where id = of_run for update;
    update runs set error = null where id = of_run and ended_at is null and error is not null;
    insert into run_series (run, symbol, interval) select of_run, s, i from unnest(symbols, intervals) as t (s, i)
        on conflict do nothing;
end $$;
