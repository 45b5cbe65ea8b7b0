// The few drawn signs. They say nothing on their own: words or a label stand beside each.
import type { ReactNode, SVGProps } from "react";

function Icon({ size = 14, children, ...rest }: { size?: number; children: ReactNode } & SVGProps<SVGSVGElement>) {
  return (
    <svg width={size} height={size} viewBox="0 0 14 14" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" {...rest}>
      {children}
    </svg>
  );
}

export const Calendar = () => (
  <Icon strokeWidth="1.4">
    <rect x="1" y="2.2" width="12" height="11" rx="2" />
    <path d="M1 5.6h12M4.3.7v3M9.7.7v3" />
  </Icon>
);
export const Magnifier = () => (
  <Icon>
    <circle cx="6" cy="6" r="4.5" />
    <path d="m9.5 9.5 3.500 3.500" />
  </Icon>
);
export const Funnel = () => (
  <Icon>
    <path d="M1.500 3.500h11M3.800 7h6.400M6 10.500h2" />
  </Icon>
);
export const Caret = () => (
  <Icon size={10} className="caret">
    <path d="m2.500 4.500 4.500 5 4.500-5" />
  </Icon>
);
export const ArrowDown = () => (
  <Icon size={10} className="arrow-down">
    <path d="M7 2v10M3 8l4 4 4-4" />
  </Icon>
);
export const Grip = () => (
  <Icon size={12} strokeWidth="2.2">
    <path d="M5 3v.01M9 3v.01M5 7v.01M9 7v.01M5 11v.01M9 11v.01" />
  </Icon>
);
export const Cross = () => (
  <Icon size={12}>
    <path d="m3 3 8 8M11 3l-8 8" />
  </Icon>
);
export const Copy = () => (
  <Icon strokeWidth="1.3">
    <rect x="4.500" y="4.500" width="8" height="8" rx="1.500" />
    <path d="M9.500 4.500v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />
  </Icon>
);
export const Tick = () => (
  <Icon>
    <path d="m2.500 7.500 3 3 6-7" />
  </Icon>
);
export const Only = () => (
  <Icon size={12}>
    <circle cx="7" cy="7" r="5.500" />
    <path d="M7 4.500v5M4.500 7h5" />
  </Icon>
);
export const Without = () => (
  <Icon size={12}>
    <circle cx="7" cy="7" r="5.500" />
    <path d="M4.500 7h5" />
  </Icon>
);
export const Warning = () => (
  <Icon>
    <path d="M7 1.500 13 12.500H1zM7 5.800v3M7 10.600v.1" />
  </Icon>
);
export const Shield = () => (
  <svg width="10" height="11" viewBox="0 0 10 11" fill="currentColor" aria-hidden="true">
    <path d="M5 0 9.500 1.600v3.600c0 2.700-1.800 4.700-4.500 5.800C2.300 9.900.500 7.900.500 5.200V1.600z" />
  </svg>
);
export const Mark = () => (
  <svg width="20" height="20" viewBox="0 0 20 20" fill="none" aria-hidden="true">
    <rect x="1" y="1" width="18" height="18" rx="5" fill="currentColor" />
    <g stroke="var(--panel)" strokeWidth="1.700" strokeLinecap="round" strokeLinejoin="round">
      <path d="M5.500 6.200h9M5.500 10h6M5.500 13.800h3.400" />
      <path d="m11.200 13.600 1.500 1.500 2.700-3.100" />
    </g>
  </svg>
);
export const Previous = () => (
  <Icon>
    <path d="m8.500 3-4 4 4 4" />
  </Icon>
);
export const Next = () => (
  <Icon>
    <path d="m5.500 3 4 4-4 4" />
  </Icon>
);
export const Pin = () => (
  <Icon strokeWidth="1.3">
    <path d="M4.800 1.500h4.400l-.6 4 2.100 2.300H3.300l2.100-2.300zM7 7.800v4.700" />
  </Icon>
);
