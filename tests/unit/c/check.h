// Tests in C: TEST(name) { ... }, in any number of files. A program runs the one that its argument names.
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

typedef struct test_case {
    const char* name;
    void (*run)(void);
    struct test_case* next;
} test_case_t;
void test_register(test_case_t* one);

#define TEST(test_name) \
    static void test_name(void); \
    __attribute__((constructor)) static void register_##test_name(void) { \
        static test_case_t one = {#test_name, test_name, NULL}; \
        test_register(&one); \
    } \
    static void test_name(void)

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

#define CHECK_EQ(got, wanted) \
    do { \
        const long long got_ = (long long)(got), wanted_ = (long long)(wanted); \
        if (got_ != wanted_) { \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld (%s)\n", __FILE__, __LINE__, #got, got_, wanted_, #wanted); \
            exit(1); \
        } \
    } while (0)

// What cannot go wrong in this test.
#define MUST(call) CHECK_EQ(call, 0)

#endif
