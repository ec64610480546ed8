/* A document is read; one that is cut is refused. */
#include <json-c/json.h>

int main(void) {
  struct json_object *run = json_tokener_parse("{\"run\": 7}"), *value = NULL;
  if (!json_object_object_get_ex(run, "run", &value) || json_object_get_int(value) != 7) return 1;
  json_object_put(run);
  return json_tokener_parse("{\"run\": ") == NULL ? 0 : 2;
}
