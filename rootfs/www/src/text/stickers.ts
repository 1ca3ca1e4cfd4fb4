import { texts } from "../text";

export const say = texts(
  { size: "Size of a sticker", small: "50 mm", large: "90 mm" },
  { size: "贴纸尺寸", small: "50 毫米", large: "90 毫米" },
);
