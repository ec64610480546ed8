/* A geometry in two pieces is read element by element, a broken one is refused at its line, and a bomb is defused. */
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int volumes;
static double mass_kg;

static void start(void *unused, const XML_Char *name, const XML_Char **attributes)
{
    (void)unused;
    if (strcmp(name, "volume") != 0)
        return;
    volumes++;
    for (int i = 0; attributes[i]; i += 2)
        if (strcmp(attributes[i], "mass_kg") == 0)
            mass_kg += atof(attributes[i + 1]);
}

static enum XML_Status parse(const char *first, const char *second, unsigned long *line)
{
    XML_Parser parser = XML_ParserCreate("UTF-8");
    XML_SetElementHandler(parser, start, NULL);
    enum XML_Status status = XML_Parse(parser, first, (int)strlen(first), 0);
    if (status == XML_STATUS_OK)
        status = XML_Parse(parser, second, (int)strlen(second), 1);
    *line = XML_GetCurrentLineNumber(parser);
    XML_ParserFree(parser);
    return status;
}

int main(void)
{
    unsigned long line;
    if (parse("<detector><volume name='xenon' mass", "_kg='7000'/><volume mass_kg='12.5'/></detector>", &line) !=
            XML_STATUS_OK || volumes != 2 || mass_kg != 7012.5) {
        fprintf(stderr, "read %d volumes of %g kg\n", volumes, mass_kg);
        return 1;
    }
    if (parse("<detector>\n<volume>\n", "</detector>", &line) == XML_STATUS_OK || line != 3) {
        fprintf(stderr, "a broken document passed, or the fault is not in line %lu\n", line);
        return 1;
    }
    char bomb[4096] = "<!DOCTYPE b [<!ENTITY a0 '0123456789'>";
    for (int i = 1; i < 10; i++)
        for (int j = 0; j < 12; j++) {
            char piece[32];
            snprintf(piece, sizeof piece, j == 0 ? "<!ENTITY a%d '" : j == 11 ? "'>" : "&a%d;", j == 0 ? i : i - 1);
            strcat(bomb, piece);
        }
    if (parse(bomb, "]><b>&a9;</b>", &line) == XML_STATUS_OK) {
        fprintf(stderr, "ten thousand million characters were expanded\n");
        return 1;
    }
    printf("%s\n", XML_ExpatVersion());
    return 0;
}
