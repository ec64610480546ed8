/* Ten thousand numbered frames of growing size go through PUSH/PULL on a free TCP port of the loopback, in order. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum { FRAMES = 10000, LARGEST = 4096 };

static void *context;
static char endpoint[256];

static size_t size_of(uint32_t number) { return sizeof number + number % LARGEST; }

static void *push(void *unused)
{
    static unsigned char frame[sizeof(uint32_t) + LARGEST];
    void *socket = zmq_socket(context, ZMQ_PUSH);
    (void)unused;
    if (zmq_connect(socket, endpoint) != 0)
        return socket;
    for (uint32_t number = 0; number < FRAMES; number++) {
        memset(frame, (int)(number & 0xff), sizeof frame);
        memcpy(frame, &number, sizeof number);
        if (zmq_send(socket, frame, size_of(number), 0) < 0)
            return socket;
    }
    zmq_close(socket);
    return NULL;
}

int main(void)
{
    static unsigned char frame[sizeof(uint32_t) + LARGEST];
    size_t room = sizeof endpoint;
    int timeout_ms = 20000;
    pthread_t thread;
    void *failed;

    context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_PULL);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms);
    if (zmq_bind(socket, "tcp://127.0.0.1:*") != 0 || zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &room) != 0) {
        fprintf(stderr, "bind: %s\n", zmq_strerror(zmq_errno()));
        return 1;
    }
    pthread_create(&thread, NULL, push, NULL);
    for (uint32_t wanted = 0; wanted < FRAMES; wanted++) {
        uint32_t number;
        int size = zmq_recv(socket, frame, sizeof frame, 0);
        memcpy(&number, frame, sizeof number);
        if (size < 0 || number != wanted || (size_t)size != size_of(number) ||
            (size > (int)sizeof number && frame[size - 1] != (number & 0xff))) {
            fprintf(stderr, "frame %u: %d bytes, number %u (%s)\n", wanted, size, number, zmq_strerror(zmq_errno()));
            return 1;
        }
    }
    pthread_join(thread, &failed);
    zmq_close(socket);
    zmq_ctx_term(context);
    if (failed) {
        fprintf(stderr, "the sender failed\n");
        return 1;
    }
    printf("%d frames over %s\n", FRAMES, endpoint);
    return 0;
}
