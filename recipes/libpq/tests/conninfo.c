/* Reads an address of a database apart, escapes a text, and is told that nobody listens. */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse("postgresql://lise@daq:5433/runs?connect_timeout=2", &error);
    int found = 0;
    for (PQconninfoOption *one = options; one && one->keyword; one++) {
        if (!one->val) continue;
        found += !strcmp(one->keyword, "user") && !strcmp(one->val, "lise");
        found += !strcmp(one->keyword, "port") && !strcmp(one->val, "5433");
        found += !strcmp(one->keyword, "dbname") && !strcmp(one->val, "runs");
    }
    PQconninfoFree(options);
    PGconn *connection = PQconnectdb("host=127.0.0.1 port=1 connect_timeout=2");
    int refused = PQstatus(connection) == CONNECTION_BAD && strstr(PQerrorMessage(connection), "127.0.0.1");
    PQfinish(connection);
    printf("%d %d %d\n", found, refused, PQlibVersion());
    return found == 3 && refused && PQlibVersion() >= 130000 ? 0 : 1;
}
