"""Sentences that arise below the page, in Simplified Chinese.

English template -> Chinese template. A blank ``{name}`` stands for whatever the sentence says there;
``awaken.ui.texts.messages.translate`` fills it in again, in Chinese where it is known. A test goes through every
sentence of the rooms below and fails for one that is missing here.
"""

from __future__ import annotations

from awaken.ui.texts.models_zh import MODELS, WEIGHTS

# What a run can say, good or bad.
RUNS: dict[str, str] = {
    "Something unexpected went wrong ({error}). The engine is ready for another try; the log has the "
    "details.": "发生了意料之外的错误（{error}）。引擎已准备好再试一次；详情见日志。",
    "The machine ran out of memory. Choose a smaller size (advanced settings) and press Awaken "
    "again; nothing else was lost.":
    "机器内存不足。请选较小的尺寸（高级设置），再按“唤醒”；其余什么都没有丢失。",
    "The largest update moves {worst} times the way to its target: above 1 it overshoots, above 2 it "
    "diverges. This alpha curve {fate}; a lower peak calms it.":
    "最大的一步走了通往目标路程的 {worst} 倍：大于 1 即过冲，大于 2 即发散。这条 α 曲线{fate}；"
    "降低峰值可使它平稳。",
    "Hardly anything moves in the awakened video: the picture shows nothing that the prompt names, "
    "or the model did not find it. Name what you see, or raise the motion.":
    "唤醒的视频几乎没有动：画里没有提示词所说的东西，或者模型没有找到它。"
    "请说出画里看得见的东西，或提高运动强度。",
    "overshoots": "会过冲",
    "would diverge": "会发散",
    "The latents became infinite during {phase}. Lower the peak of alpha, p or the guidance scale, "
    "and press Awaken again.":
    "潜变量在{phase}阶段变为无穷大。请降低 α 峰值、p 或引导强度，再按“唤醒”。",
    "distil": "蒸馏",
    "denoise": "去噪",
    "{title} does not fit into this GPU's memory as a whole: its parts take turns there, which is "
    "slower.": "{title} 无法整个放进显存：各部分轮流载入，会慢一些。",
    "{title} reads the first {count} words or word parts of a prompt; the rest of yours was cut "
    "off.": "{title} 只读提示词的前 {count} 个词或词片；其余部分已截去。",
    "The miniature reads English only, so this prompt means little to it. Say it in English, for "
    "example: the clouds drift.":
    "微缩模型只懂英文，这条提示词对它几乎没有意义。请用英文说，例如：the clouds drift。",
    "The miniature reads only the first words of a long prompt (up to {count} word pieces); put the "
    "motion first.": "微缩模型只读长提示词的开头（至多 {count} 个词片）；请把动态放在最前面。",
    "The miniature does not know {clauses}: that part may do nothing, or move something else. It "
    "knows {ideas}.":
    "微缩模型不懂{clauses}：这部分可能没有效果，也可能动到别处。它懂得：{ideas}。",
    "The miniature has hardly learnt {ideas}: expect little of it.":
    "微缩模型几乎没有学会{ideas}：不要期望太多。",
    "clouds drifting": "云飘动", "skies swirling": "天空翻卷", "waves and ripples": "波浪与涟漪",
    "rivers flowing": "河水流淌", "waterfalls": "瀑布", "trees swaying": "树木摇曳",
    "grass and fields swaying": "草与田野起伏", "boats sailing": "船只航行",
    "boats rocking": "船只摇晃", "birds flying": "鸟飞", "flags waving": "旗帜飘扬",
    "smoke rising": "烟升起", "fog drifting": "雾飘动",
    "snow falling": "落雪", "rain falling": "下雨", "petals falling": "花瓣飘落",
    "leaves falling": "落叶", "fire flickering": "火光摇曳", "sparks flying": "火花飞溅",
    "stars twinkling": "星光闪烁", "light on water": "水面的光", "sun rays": "日光", "gentle motion":
    "轻微的动态", "stillness": "静止",
    "The proxy is black: its model refused or failed. Try another seed, prompt or proxy.":
    "代理图像是全黑的：它的模型拒绝了请求或失败了。请换一个种子、提示词或代理模型。",
    "The proxy left the painting (luma correlation {correlation}, under {limit}): the video may "
    "drift to another picture. A lower proxy strength keeps it closer.":
    "代理图像离开了画作（亮度相关 {correlation}，低于 {limit}）：视频可能会漂移成另一幅画。"
    "降低代理强度可使它更贴近。",
    "The proxy lies {across} and {down} of the painting. They are fused pixel by pixel, so this "
    "blurs the video: crop both alike, or choose another seed or proxy.":
    "代理图像相对画作{across}、{down}。两者逐像素融合，错位会使视频模糊：请把两张图裁得一致，"
    "或换一个种子或代理模型。",
    "{count} px left": "偏左 {count} 像素",
    "{count} px right": "偏右 {count} 像素",
    "{count} px up": "偏上 {count} 像素",
    "{count} px down": "偏下 {count} 像素",
    "At strength 0 the editor would have nothing to do: raise the proxy strength, or choose the "
    "proxy “The painting itself”.":
    "强度为 0 时编辑模型无事可做：请提高代理强度，或选择代理“画作本身”。",
    "Drop your own picture into the proxy field, or choose another proxy.":
    "请把您自己的图片拖进代理图像框，或改选别的代理模型。",
    "{title} overflowed and gave no picture. Try another seed or a lower guidance; on a GPU that "
    "keeps failing, another proxy.":
    "{title} 数值溢出，没有给出图片。请换一个种子或降低引导强度；若显卡总是失败，请换代理模型。",
    "{title} answered with a black picture: its safety checker refused, or its numbers overflowed. "
    "Try another seed or prompt, or choose another proxy.":
    "{title} 给出了全黑的图片：安全检查拒绝了它，或数值溢出。请换一个种子或提示词，或改选别的代理模型。",
    "At strength {strength} none of the proxy's {steps} steps would be taken and it would stay the "
    "painting: raise the proxy strength to {least} or more, or choose the proxy “The painting "
    "itself”.":
    "强度为 {strength} 时，代理模型的 {steps} 步一步也不会走，结果仍是原画：请把代理强度提到 {least} 以上，"
    "或选择代理“画作本身”。",
    "This run asks for {seconds} s of GPU, which is more than your quota has left. Fewer steps, a "
    "smaller size or p = 0 need less. Hugging Face says: {said}":
    "这次运行要用 GPU {seconds} 秒，超过了您剩余的配额。减少步数、缩小尺寸或取 p = 0 可以省一些。"
    "Hugging Face 的答复：{said}",
    "The GPU was taken back before the run was done. Press Awaken again: it will ask for {seconds} s "
    "now.": "运行还没结束，GPU 就被收回了。请再按“唤醒”：这次会申请 {seconds} 秒。",
    "The GPU could not be used ({error}).": "无法使用 GPU（{error}）。",
}  # fmt: skip

# What is wrong with a file or a setting.
REQUESTS: dict[str, str] = {
    "This is not a picture we can open: choose a JPEG, PNG, WebP, TIFF or GIF file.":
    "这不是我们能打开的图片：请选择 JPEG、PNG、WebP、TIFF 或 GIF 文件。",
    "This file is empty, not a picture: choose a JPEG, PNG, WebP, TIFF or GIF file.":
    "这个文件是空的，不是图片：请选择 JPEG、PNG、WebP、TIFF 或 GIF 文件。",
    "This {kind} picture is damaged or incomplete, or saved in a way that we cannot read: save it "
    "again as PNG or JPEG, or choose another file.":
    "这张 {kind} 图片已损坏、不完整，或存法我们读不了：请重新存为 PNG 或 JPEG，或另选文件。",
    "This data URI holds no picture, or its base64 is broken: encode the file again.":
    "这个 data URI 不含图片，或其 base64 已损坏：请重新编码文件。",
    "This TIFF picture ({what}) is damaged or saved in a way that we cannot read: flatten it, "
    "convert it to RGB of 8 or 16 bits, and save it as PNG or TIFF.":
    "这张 TIFF 图片（{what}）已损坏，或存法我们读不了：请合并图层，转为 8 或 16 位 RGB，再存为 PNG 或 TIFF。",
    "grey": "灰度", "palette": "选定颜色", "mask": "蒙版", "alpha": "透明通道",
    "extra channels": "额外通道", "separate planes": "分平面", "unknown colours": "未知颜色",
    "This is not a picture we can open but a file of the kind {kind}: {remedy}.":
    "这不是我们能打开的图片，而是 {kind} 文件：{remedy}。",
    "export it as JPEG or PNG and choose that copy": "请导出为 JPEG 或 PNG，再选那一份",
    "develop it with your camera's program and export it as JPEG or PNG":
    "请用相机的程序处理，再导出为 JPEG 或 PNG",
    "export one page as JPEG or PNG": "请把其中一页导出为 JPEG 或 PNG",
    "choose a still of it, as JPEG or PNG": "请截取一帧，存为 JPEG 或 PNG",
    "save the picture itself and choose that": "请保存图片本身，再选它",
    "This picture needs more memory than there is: save a smaller copy.":
    "这张图片需要的内存超过现有的：请另存一份小一些的。",
    "This picture has a high dynamic range (HDR), which we cannot show: export it as an ordinary "
    "(SDR, sRGB) PNG or JPEG.":
    "这张图片是高动态范围（HDR）的，我们无法显示：请导出为普通（SDR、sRGB）的 PNG 或 JPEG。",
    "Several large pictures are being opened at this moment: try again in half a minute.":
    "现在正打开着好几张大图：请半分钟后再试。",
    "The picture cannot be read ({why}).": "无法读取这张图片（{why}）。",
    "The motion mask allows motion everywhere, as if there were none.":
    "运动遮罩让处处都可以动，等于没有遮罩。",
    "There is no picture at {path}.": "{path} 处没有图片。",
    "This picture is only {width} x {height} pixels: choose one whose shorter side has at least "
    "{least}; 512 or more looks best.":
    "这张图片只有 {width} × {height} 像素：请选短边至少 {least} 像素的；512 以上效果最好。",
    "This picture is too narrow ({width} x {height} pixels): crop its longer side to {crop} pixels "
    "or fewer, or put margins beside it (a letterbox) until its shorter side has {margins}.":
    "这张图片太窄长（{width} × {height} 像素）：请把长边裁到 {crop} 像素以内，或在两边加空白，使短边达到 {margins} 像素。",
    "This picture has more than {count} million pixels: save a smaller copy; {side} pixels on the "
    "longer side are plenty.":
    "这张图片超过 {count} 百万像素：请另存一份小一些的；长边 {side} 像素已绰绰有余。",
    "This zip is not a bundle of Awaken: choose one that it has made.":
    "这个 zip 不是 Awaken 的作品包：请选择由它制作的。",
    "This file is larger than anything that Awaken makes; it was not opened.":
    "这个文件比 Awaken 制作的任何文件都大；没有打开。",
    "This file holds no settings of Awaken: choose a bundle, a video or a settings.json that it has "
    "made, with settings kept in the files.":
    "这个文件不含 Awaken 的设置：请选择由它制作、且保留了设置的作品包、视频或 settings.json。",
    "This file holds no settings of Awaken: choose a video that it has made.":
    "这个文件不含 Awaken 的设置：请选择由它制作的视频。",
    "There is no finished run to bundle: press Awaken first.":
    "还没有完成的运行可以打包：请先按“唤醒”。",
    "The film could not be read: it is not one that Awaken has made.":
    "无法读取影片：它不是 Awaken 制作的。",
    "This bundle was made by a newer Awaken than this one.": "这个作品包由更新版本的 Awaken 制作。",
    "This is not a clip we can open: bring an MP4, MOV, WebM, AVI or GIF.":
    "这不是我们能打开的片段：请用 MP4、MOV、WebM、AVI 或 GIF。",
    "This clip takes too long to open: bring a shorter one.": "打开这个片段太费时：请换一个短些的。",
    "This clip is damaged or shorter than three frames: bring another.":
    "这个片段已损坏或不足三帧：请换一个。",
    "Not known to this version and left out: {names}.": "本版本不认识、已略去：{names}。",
    "Values that cannot be used, left out: {names}.": "取值无法使用、已略去：{names}。",
    "a link of another version of this page": "本页另一版本的链接",
    "This run had a motion mask, which does not travel with settings: paint it again.":
    "这次运行用了运动遮罩；遮罩不随设置传递，请重新绘制。",
    "There is no {name} called that here.": "这里没有这个名称的{name}。",
    "The setting {name} is yes or no.": "设置{name}只能是是或否。",
    "The setting {name} is a text.": "设置{name}应为文字。",
    "The setting {name} must be a number.": "设置{name}必须是数字。",
    "A model's own settings are names with numbers.": "模型自身的设置须为名称与数字。",
    "The proxy “{title}” needs a picture: drop one into the proxy field, or choose another proxy.":
    "代理“{title}”需要一张图片：请拖进代理图像框，或改选别的代理模型。",
    "{title} cannot run here: {missing}": "{title} 无法在此运行：{missing}",
    "{title} makes videos of {choices} frames.": "{title} 制作的视频为 {choices} 帧。",
    "{title} works at sizes up to {size}.": "{title} 的工作尺寸最大为 {size}。",
    "{title} has no setting called {name}.": "{title} 没有名为 {name} 的设置。",
    "There is no {name} called {value}; choose one of {choices}.":
    "没有名为 {value} 的{name}；请从中选择：{choices}。",
    "There is no model called {name}; choose one of {choices}.":
    "没有名为 {name} 的模型；请从中选择：{choices}。",
    "The setting {name} must be a number from {low} to {high}.":
    "{name}必须是 {low} 到 {high} 之间的数字。",
    "The setting {name} is missing; it goes from {low} to {high}.":
    "缺少{name}；取值从 {low} 到 {high}。",
    "The setting {name} is {value}; it must be {kind} from {low} to {high}.":
    "{name}现为 {value}；它必须是 {low} 到 {high} 之间的{kind}。",
    "a whole number": "整数",
    "a number": "数字",
    "'p'": "“唤醒度 p”", "'peak'": "“α 峰值”", "'re_noise'": "“重加噪强度”",
    "'proxy_strength'": "“代理强度”", "'guidance'": "“引导强度”", "'steps'": "“去噪步数”",
    "'frames'": "“帧数”", "'fps'": "“每秒帧数”", "'size'": "“工作尺寸”", "'seed'": "“种子”",
    "variant": "变体", "alpha curve": "α 曲线", "backend": "视频模型", "proxy": "代理模型",
    "painting": "画作", "proxy image": "代理图像",
    "The motion mask: {why}": "运动遮罩：{why}",
    "The motion mask ({width} x {height} pixels) has another shape than the painting "
    "({across} x {down}): paint it on this painting.":
    "运动遮罩（{width} × {height} 像素）与画作（{across} × {down}）形状不同：请在这幅画上涂抹。",
    "The motion mask is empty or not a grey picture: paint the region that should move.":
    "运动遮罩是空的，或不是灰度图：请画出应当动起来的区域。",
    "Say in a few words what should move, for example: the clouds drift.":
    "请用几个词说说让什么动起来，例如：云朵飘过天空。",
    "That text is too long: keep it under {limit} characters; one short sentence works best.":
    "文字太长：请控制在 {limit} 个字符以内；一句短话效果最好。",
    "That text holds half a character, as when an emoji was cut in two: write it anew.":
    "文字里有半个字符，像是一个表情符号被切成了两半：请重新写。",
    "The {name} is not an RGB picture: choose a JPEG, PNG or WebP file.":
    "{name}不是 RGB 图片：请选择 JPEG、PNG 或 WebP 文件。",
}  # fmt: skip

# The names of the bundled pictures, their makers and their rights.
PICTURES: dict[str, str] = {
    "The Starry Night": "星月夜",
    "Under the Wave off Kanagawa (The Great Wave)": "神奈川冲浪里",
    "Impression, Sunrise": "日出·印象",
    "Wheat Field with Cypresses": "有柏树的麦田",
    "The Ninth Wave": "九级浪",
    "The Hay Wain": "干草车",
    "The Scream": "呐喊",
    "The Water-Lily Pond": "睡莲池",
    "Ships in Distress off a Rocky Coast": "礁岸外遇险的船只",
    "Eruption of Vesuvius": "维苏威火山喷发",
    "Golden Autumn": "金色的秋天",
    "Moonlit Night on the Dnieper": "第聂伯河上的月夜",
    "Tower above a lake (Summer Palace, Beijing)": "湖畔高阁（北京颐和园）",
    "Dahlia": "大丽花",
    "Hubble eXtreme Deep Field": "哈勃极深空",
    "Vincent van Gogh": "文森特·凡·高",
    "Katsushika Hokusai": "葛饰北斋",
    "Claude Monet": "克劳德·莫奈",
    "Ivan Aivazovsky": "伊万·艾瓦佐夫斯基",
    "John Constable": "约翰·康斯特布尔",
    "Edvard Munch": "爱德华·蒙克",
    "Ludolf Bakhuizen": "卢多尔夫·巴克赫伊森",
    "Johan Christian Dahl": "约翰·克里斯蒂安·达尔",
    "Isaac Levitan": "伊萨克·列维坦",
    "Arkhip Kuindzhi": "阿尔希普·库因芝",
    "danielbuechele (Flickr)": "danielbuechele（Flickr）",
    "vultilion (Flickr)": "vultilion（Flickr）",
    "NASA and ESA, Hubble Space Telescope": "NASA 与 ESA，哈勃空间望远镜",
    "c. {year}": "约 {year}",
    "Public domain: the artist died more than 70 years ago; a faithful photograph of a flat work":
    "公有领域：画家逝世已逾 70 年；对平面作品的忠实摄影复制",
    "Public domain, NASA": "公有领域，NASA",
    "Asked for a woman who walks across the bridge, the videos show no woman, and parts of the "
    "garden move instead: the kind of failure that the paper reports (Sec. 5.3). The method steers "
    "the motion that a model knows; it cannot teach it to invent a person and her steps.":
    "要求“一位女子走过桥”，视频里却没有女子，动起来的是花园的几处：正是论文所报告的那类失败（5.3 节）。"
    "方法引导的是模型已知的运动；它无法教会模型凭空造出一个人和她的脚步。",
}  # fmt: skip

SENTENCES: dict[str, str] = MODELS | WEIGHTS | RUNS | REQUESTS | PICTURES
