/* SPDX-License-Identifier: MIT */
/* Every operator new and delete, on libouro-malloc.so: handlers, exceptions, alignment. */
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

static int failures;
#define CHECK(what)                                                                                \
    ((what) ? (void)0 : (void)(failures++, std::printf("%d: %s\n", __LINE__, #what)))

static volatile std::size_t too_much = PTRDIFF_MAX;
static const std::align_val_t wide{256};
static void *volatile made;
static int asked;

static void ask_three_times()
{
    if (++asked == 3)
        std::set_new_handler(nullptr);
}

static void refuse()
{
    asked++;
    throw std::bad_alloc();
}

template <class F> static bool throws(F f)
{
    try {
        f();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

static bool is_wide(void *p)
{
    return p && reinterpret_cast<std::uintptr_t>(p) % 256 == 0;
}

static void each_gives_and_takes()
{
    for (std::size_t size = 0; size < 100000; size = size * 2 + 1) {
        ::operator delete(::operator new(size));
        ::operator delete[](::operator new[](size));
        ::operator delete(::operator new(size), size);
        ::operator delete[](::operator new[](size), size);
        ::operator delete(::operator new(size, std::nothrow), std::nothrow);
        ::operator delete[](::operator new[](size, std::nothrow), std::nothrow);
        void *p = ::operator new(size, wide), *q = ::operator new[](size, wide);
        CHECK(is_wide(p) && is_wide(q));
        std::memset(p, 1, size);
        std::memset(q, 2, size);
        ::operator delete(p, wide);
        ::operator delete[](q, wide);
        ::operator delete(::operator new(size, wide), size, wide);
        ::operator delete[](::operator new[](size, wide), size, wide);
        p = ::operator new(size, wide, std::nothrow);
        q = ::operator new[](size, wide, std::nothrow);
        CHECK(is_wide(p) && is_wide(q));
        ::operator delete(p, wide, std::nothrow);
        ::operator delete[](q, wide, std::nothrow);
    }
    ::operator delete(nullptr);
    ::operator delete[](nullptr);
    std::free(::operator new(100)); /* one allocator behind both */
}

static void refusals_throw()
{
    CHECK(throws([] { made = ::operator new(too_much); }));
    CHECK(throws([] { made = ::operator new[](too_much); }));
    CHECK(throws([] { made = ::operator new(too_much, wide); }));
    CHECK(throws([] { made = ::operator new[](too_much, wide); }));
}

static void refusals_are_null_without_throwing()
{
    CHECK(::operator new(too_much, std::nothrow) == nullptr);
    CHECK(::operator new[](too_much, std::nothrow) == nullptr);
    CHECK(::operator new(too_much, wide, std::nothrow) == nullptr);
    CHECK(::operator new[](too_much, wide, std::nothrow) == nullptr);
}

static void handlers_are_asked_until_they_give_up()
{
    asked = 0;
    std::set_new_handler(ask_three_times);
    CHECK(throws([] { made = ::operator new(too_much); }));
    CHECK(asked == 3);
    asked = 0;
    std::set_new_handler(ask_three_times);
    CHECK(::operator new(too_much, std::nothrow) == nullptr);
    CHECK(asked == 3);
}

static void what_handlers_throw_does_not_leave_nothrow()
{
    std::set_new_handler(refuse);
    asked = 0;
    CHECK(throws([] { made = ::operator new(too_much); }));
    CHECK(asked == 1);
    refusals_are_null_without_throwing();
    CHECK(asked == 5);
    std::set_new_handler(nullptr);
}

int main()
{
    each_gives_and_takes();
    refusals_throw();
    refusals_are_null_without_throwing();
    handlers_are_asked_until_they_give_up();
    what_handlers_throw_does_not_leave_nothrow();
    std::vector<std::string> words;
    for (int i = 0; i < 10000; i++)
        words.push_back(std::string(static_cast<std::size_t>(i % 100), 'x'));
    CHECK(words[9999].size() == 99);
    return failures != 0;
}
