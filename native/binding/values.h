#pragma once
#include <napi.h>

#include <cstdint>
#include <string>

namespace diffsal {

// What JavaScript has checked, as C++ has it: a value, or a property of an object.

inline double number(const Napi::Value& value) { return value.ToNumber().DoubleValue(); }
inline int64_t integer(const Napi::Value& value) { return value.ToNumber().Int64Value(); }
inline uint64_t unsigned_integer(const Napi::Value& value) { return static_cast<uint64_t>(integer(value)); }
inline bool boolean(const Napi::Value& value) { return value.ToBoolean().Value(); }
inline std::string text(const Napi::Value& value) { return value.ToString().Utf8Value(); }

inline double number(const Napi::Object& object, const char* name) { return number(object.Get(name)); }
inline int64_t integer(const Napi::Object& object, const char* name) { return integer(object.Get(name)); }
inline uint64_t unsigned_integer(const Napi::Object& object, const char* name) { return unsigned_integer(object.Get(name)); }
inline bool boolean(const Napi::Object& object, const char* name) { return boolean(object.Get(name)); }
inline std::string text(const Napi::Object& object, const char* name) { return text(object.Get(name)); }

}  // namespace diffsal
