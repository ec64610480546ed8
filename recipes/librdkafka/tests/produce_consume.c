/* A message goes to a broker that the library itself mocks, on the loopback interface, compressed, and comes back. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers) {
  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "group.id", "test", error, sizeof error);
  rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", error, sizeof error);
  rd_kafka_conf_set(conf, "compression.type", "zstd", error, sizeof error);
  if (brokers)
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, error, sizeof error);
  else
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", error, sizeof error);
  return rd_kafka_new(type, conf, error, sizeof error);
}

int main(void) {
  static char sent[4000];
  memset(sent, 'e', sizeof sent);
  rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, NULL);
  if (!producer) return fprintf(stderr, "no producer\n"), 1;
  if (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("events"), RD_KAFKA_V_VALUE(sent, sizeof sent), RD_KAFKA_V_END))
    return fprintf(stderr, "not produced\n"), 1;
  if (rd_kafka_flush(producer, 60000)) return fprintf(stderr, "not flushed\n"), 1;
  const struct rd_kafka_metadata *metadata = NULL;
  if (rd_kafka_metadata(producer, 1, NULL, &metadata, 60000) || metadata->broker_cnt != 1) return 1;
  char broker[256];
  snprintf(broker, sizeof broker, "%s:%d", metadata->brokers[0].host, metadata->brokers[0].port);
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, broker);
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, "events", RD_KAFKA_PARTITION_UA);
  if (!consumer || rd_kafka_subscribe(consumer, topics)) return 1;
  int same = 0;
  for (int tries = 0; tries < 240 && !same; ++tries) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 1000);
    if (message && !message->err) same = message->len == sizeof sent && !memcmp(message->payload, sent, sizeof sent);
    if (message) rd_kafka_message_destroy(message);
  }
  rd_kafka_topic_partition_list_destroy(topics);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  rd_kafka_destroy(producer);
  return same ? 0 : (fprintf(stderr, "nothing came back\n"), 1);
}
