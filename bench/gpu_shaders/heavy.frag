#version 450
/* 60 multiply-adds of four components, one behind the other, as gpu_ours.c's microcode has. */
layout(location = 0) in vec4 color;
layout(location = 0) out vec4 result;
layout(binding = 0) uniform sampler2D image;
layout(push_constant) uniform constants { vec4 add; };

#define TURN      v = v.yzwx * color + add;
#define FIVE      TURN TURN TURN TURN TURN
#define TWENTY    FIVE FIVE FIVE FIVE

void main()
{
    vec4 v = texture(image, color.xy);
    TWENTY TWENTY TWENTY
    result = v;
}
