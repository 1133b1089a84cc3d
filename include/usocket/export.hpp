// What a declaration says to compiler and linker: which names a shared library shows, what is inlined.
#pragma once

// USOCKET_PUBLIC: a type that means the same in every part of a program, whatever -fvisibility says.
// USOCKET_API: what libusocket.so exports; nothing in the archive, so that what embeds it exports none of it.
// USOCKET_LOCAL: of a class that libusocket.so exports, what is nobody else's.
// USOCKET_INLINED: no copy outside its callers.
// USOCKET_BORROWS: what is returned, or made, points into this argument or object; clang warns where that ends first.
#if defined(__GNUC__)
#define USOCKET_PUBLIC [[gnu::visibility("default")]]
#define USOCKET_INLINED [[gnu::always_inline]]
#else
#define USOCKET_PUBLIC
#define USOCKET_INLINED
#endif
#if defined(__clang__)
#define USOCKET_BORROWS [[clang::lifetimebound]]
#else
#define USOCKET_BORROWS
#endif
#if defined(USOCKET_BUILDS_SHARED)
#define USOCKET_API USOCKET_PUBLIC
#define USOCKET_LOCAL [[gnu::visibility("hidden")]]
#else
#define USOCKET_API
#define USOCKET_LOCAL
#endif
