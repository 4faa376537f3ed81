// The sign of the gateway, beside its name.
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0f3d3a" />
      <g fill="none" strokeLinecap="round">
        <path d="M7 25V13a9 9 0 0 1 18 0v12" stroke="#f3b54a" strokeWidth="3" />
        <path d="M12.5 25v-7M16 25V14M19.5 25v-4" stroke="#7ee0c8" strokeWidth="2.4" />
      </g>
    </svg>
  );
}
