// What a test asks the stand-in: takeMistakes() and takeWaits(), what was noted since it last asked, provoke(mistake), and rehearseGraphs(how).
#include <c10/util/Exception.h>
#include <napi.h>

#include "graphs.h"
#include "provoke.h"
#include "report.h"

namespace {

template <std::vector<std::string> (*take)()>
Napi::Value taken(const Napi::CallbackInfo& info) {
  auto list = Napi::Array::New(info.Env());
  for (const auto& text : take()) list.Set(list.Length(), text);
  return list;
}

template <void (*work)(const std::string&)>
void told(const Napi::CallbackInfo& info) {
  try {
    work(info[0].ToString());
  } catch (const c10::Error& error) {
    throw Napi::Error::New(info.Env(), error.what_without_backtrace());
  }
}

Napi::Object define(Napi::Env env, Napi::Object exports) {
  exports.Set("takeMistakes", Napi::Function::New<taken<stand_in::take_mistakes>>(env));
  exports.Set("takeWaits", Napi::Function::New<taken<stand_in::take_waits>>(env));
  exports.Set("provoke", Napi::Function::New<told<stand_in::provoke>>(env));
  exports.Set("rehearseGraphs", Napi::Function::New<told<stand_in::rehearse_graphs>>(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(stand_in, define)
