-- Who may use what 0007 made: the loader notes what a series lost, and the notifier tells of it.
grant select, insert, update, delete on lost_candles to loader_service;
grant select, update on lost_candles to notifier_service;
