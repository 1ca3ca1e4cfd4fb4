// CodeMirror's own words in Chinese.
export const phrases: Record<string, string> = {
  "Go to line": "跳转到行", go: "跳转", Find: "查找", Replace: "替换", next: "下一个", previous: "上一个", all: "全部",
  "match case": "区分大小写", regexp: "正则表达式", "by word": "全词匹配", replace: "替换", "replace all": "全部替换", close: "关闭",
  "current match": "当前匹配", "replaced $ matches": "已替换 $ 处", "replaced match on line $": "已替换第 $ 行的匹配", "on line": "位于行",
  Completions: "补全", Diagnostics: "问题", "No diagnostics": "没有问题", "Control character": "控制字符",
  "Selection deleted": "已删除所选内容", "Folded lines": "已折叠的行", to: "至",
};
