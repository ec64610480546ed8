/* Runs and their events: a join, an aggregate, and a transaction that is rolled back. */
#include <sqlite3.h>
#include <stdio.h>

static int number(sqlite3 *db, const char *sql, int *value) {
  sqlite3_stmt *query = NULL;
  int ok = sqlite3_prepare_v2(db, sql, -1, &query, NULL) == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW;
  if (ok) *value = sqlite3_column_int(query, 0);
  sqlite3_finalize(query);
  return ok;
}

int main(void) {
  sqlite3 *db = NULL;
  int events = 0, left = 0;
  if (sqlite3_open("runs.db", &db) != SQLITE_OK) return 1;
  if (sqlite3_exec(db, "create table run(id integer primary key, mode text);"
                       "create table event(run integer references run, energy real);"
                       "insert into run values (1, 'dark'), (2, 'calibration');"
                       "insert into event values (1, 2.5), (2, 41.5), (2, 9.4);"
                       "begin; delete from event; rollback;", NULL, NULL, NULL) != SQLITE_OK)
    return fprintf(stderr, "%s\n", sqlite3_errmsg(db)), 1;
  if (!number(db, "select count(*) from event join run on run = id where mode = 'calibration'", &events)) return 1;
  if (!number(db, "select round(sum(energy) * 10) from event", &left)) return 1;
  sqlite3_close(db);
  return events == 2 && left == 534 ? 0 : (fprintf(stderr, "%d %d\n", events, left), 1);
}
