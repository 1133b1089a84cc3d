// Runs the test that the argument names; without one, all. Each in turn: they share a process, as a program's parts do.
#include <string.h>

#include "check.h"

static test_case_t* first;

void test_register(test_case_t* one) {
    one->next = first;
    first = one;
}

int main(int argc, char** argv) {
    int count = 0;
    for (test_case_t* one = first; one != NULL; one = one->next) {
        if (argc < 2 || strcmp(argv[1], one->name) == 0) {
            one->run();
            ++count;
        }
    }
    printf("%d passed\n", count);
    return count == 0;
}
